"""Working copies of pictures: re-encoded from the pixels alone, nothing else survives.

JPEG and PNG only; every other kind waits for a custodian. What a file is, is told by its
content, never by its name.
"""

import io
import warnings

from PIL import Image, ImageOps

MOST_PIXELS = 50_000_000
_KINDS = {
    b"\xff\xd8\xff": ("JPEG", "image/jpeg"),
    b"\x89PNG\r\n\x1a\n": ("PNG", "image/png"),
}
_QUALITY = 90


def clean(original: bytes) -> tuple[bytes | None, str]:
    """Return a copy without metadata, and the kind; None where no copy can be made.

    The orientation is turned into the pixels. A picture of more than 50 million pixels, a
    broken one, or another kind gives no copy.
    """
    found = next(
        (kind for head, kind in _KINDS.items() if original.startswith(head)), None
    )
    if found is None:
        return None, ""
    form, content_type = found
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(original), formats=[form]) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    return None, content_type
                return _encode(picture, form), content_type
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning):
        return None, content_type


def _encode(picture: Image.Image, form: str) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    mode = "RGB" if form == "JPEG" else _png_mode(upright.mode)
    pixels = upright.convert(mode)
    bare = Image.frombytes(mode, pixels.size, pixels.tobytes())
    out = io.BytesIO()
    if form == "JPEG":
        bare.save(out, "JPEG", quality=_QUALITY)
    else:
        bare.save(out, "PNG")
    return out.getvalue()


def _png_mode(mode: str) -> str:
    return "RGBA" if mode in {"RGBA", "LA", "PA", "P"} else "RGB"
