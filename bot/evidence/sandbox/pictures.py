"""Pictures: drawn anew from their pixels, upright, in sRGB; nothing else survives."""

import contextlib
import io
import warnings
from typing import Final, cast

from PIL import Image, ImageCms, ImageOps
from pillow_heif import register_heif_opener

from bot.evidence import frames
from bot.evidence.facts import MORE
from bot.evidence.kinds import Kind
from bot.evidence.refusals import Give, Refused

starts_programs: Final = False
MOST_PIXELS: Final = 50_000_000
"""What is drawn anew at once; a larger JPEG is read at a half, a quarter or an eighth."""
MOST_ANNOUNCED: Final = 400_000_000
"""Pixels that a picture may say it has: twice what a telephone takes."""
PREVIEW_SIZE: Final = (480, 480)
_ORIENTATION: Final = 0x0112
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF", "TIFF", "BMP")
_SHADES: Final = frozenset({"RGBA", "LA", "PA", "P", "1", "L"})
"""Modes in which a PNG may be transparent, or has few colours."""
_FINE: Final = frozenset({"I", "F", "I;16", "I;16L", "I;16B", "I;16N"})
"""Modes of grey with more than 256 shades."""

register_heif_opener(thumbnails=False)
Image.MAX_IMAGE_PIXELS = None  # we count ourselves, and say so
Image.preinit()
Image.init()


def clean(original: bytes, kind: Kind, give: Give) -> dict[str, str]:
    """Give a copy without metadata and a small preview of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(original), formats=_FORMATS) as picture:
            _require_size(picture)  # before anything that may read the pixels
            facts = {"hidden": " ".join(sorted(_hidden(picture)))}
            if getattr(picture, "is_animated", False):
                facts["frames"] = MORE  # to count 40,000 of them took half a minute
            drawn = _drawn(picture, keeps_shades=kind.copy == "image/png")
    give(frames.COPY, _encoded(drawn, kind.copy))
    drawn.thumbnail(PREVIEW_SIZE, Image.Resampling.LANCZOS)
    give(frames.PREVIEW, _encoded(_on_white(drawn), "image/jpeg"))
    return facts


def redrawn(original: bytes) -> bytes:
    """Return the pixels of a picture inside a document, in its own format.

    They are not turned upright: the document says how a picture lies.
    """
    with Image.open(io.BytesIO(original), formats=_FORMATS) as picture:
        form = picture.format or "PNG"
        out = io.BytesIO()
        picture.getexif().pop(_ORIENTATION, None)
        drawn = _drawn(picture, keeps_shades=form in {"PNG", "GIF"})
        drawn.save(out, form, **({"quality": 90} if form == "JPEG" else {}))
        return out.getvalue()


def _drawn(picture: Image.Image, *, keeps_shades: bool) -> Image.Image:
    """Return the pixels alone, upright, of a size that we can hold."""
    _require_size(picture)
    width, height = picture.size
    scale = 1
    while width * height > MOST_PIXELS * scale * scale:
        scale *= 2
    if scale > 1:
        picture.draft("RGB", (width // scale, height // scale))
    if picture.width * picture.height > MOST_PIXELS:
        raise Refused("large")
    profile = picture.info.get("icc_profile")
    upright = _in_eight_bits(ImageOps.exif_transpose(picture))
    is_clear = upright.has_transparency_data
    mode = "RGBA" if keeps_shades and (is_clear or upright.mode in _SHADES) else "RGB"
    if mode == "RGB" and is_clear:
        upright = _on_white(upright)
    pixels = upright if upright.mode == mode else upright.convert(mode)
    if mode == "RGBA":
        _forget_unseen(pixels)
    if profile and mode == "RGB":
        pixels = _in_srgb(pixels, profile)
    return Image.frombytes(mode, pixels.size, pixels.tobytes())


def _in_eight_bits(picture: Image.Image) -> Image.Image:
    """Return a grey picture of finer shades with 256 of them, where Pillow would cut off.

    Sixteen bits have their range. Whole and broken numbers of 32 bits have none that
    everybody keeps to: it is the smallest usual one that holds them, else their own.
    """
    if picture.mode not in _FINE:
        return picture
    low, most = 0.0, 65535.0
    if picture.mode in {"I", "F"}:
        least, largest = cast("tuple[float, float]", picture.getextrema())
        usual = (1.0, 255.0, 65535.0) if picture.mode == "F" else (255.0, 65535.0)
        low = min(least, 0.0)
        most = next((one for one in usual if largest <= one and low == 0), largest)
    scale = 255 / ((most - low) or 1)
    wide = picture if picture.mode == "F" else picture.convert("I")
    grey = wide.point(lambda value: value * scale + 0.5 - low * scale).convert("L")
    clear = picture.info.get("transparency")
    grey.info = {"transparency": clear >> 8} if isinstance(clear, int) else {}
    return grey


def _forget_unseen(pixels: Image.Image) -> None:
    """Take away the colours of what is wholly transparent: nobody saw them."""
    unseen = pixels.getchannel("A").point(lambda alpha: 0 if alpha else 255)
    pixels.paste((0, 0, 0, 0), None, unseen)


def _require_size(picture: Image.Image) -> None:
    if picture.width * picture.height > MOST_ANNOUNCED:
        raise Refused("large")


def _in_srgb(pixels: Image.Image, profile: bytes) -> Image.Image:
    """Turn a camera's colours into everybody's; its profile names the camera."""
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        turned = ImageCms.profileToProfile(pixels, source, target, outputMode="RGB")
        return turned if turned is not None else pixels
    return pixels


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB" and not picture.has_transparency_data:
        return picture
    seen = picture.convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    return Image.alpha_composite(white, seen).convert("RGB")


def _encoded(picture: Image.Image, media_type: str) -> bytes:
    out = io.BytesIO()
    if media_type == "image/png":
        picture.save(out, "PNG")
    else:
        picture.save(out, "JPEG", quality=92, subsampling=0)
    return out.getvalue()


def _hidden(picture: Image.Image) -> set[str]:
    """Name what the original tells beside its pixels; officers should know, not see it."""
    found = set()
    exif = picture.getexif()
    if exif:
        found.add("device")
        if exif.get_ifd(0x8825):
            found.add("place")
    info = {str(name).lower() for name in picture.info}
    if info & {"xmp", "xml:com.adobe.xmp", "photoshop", "comment"}:
        found.add("words")
    return found
