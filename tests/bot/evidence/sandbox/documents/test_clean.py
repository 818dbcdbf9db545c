"""An office document's copy holds the last wording, and nobody's name."""

import io
import zipfile

import pytest

from tests.bot.evidence.sandbox.sandboxes import opened
from tests.bot.evidence.sandbox.test_pictures import (
    MARK,
    brightness,
    camera,
    is_bare,
    picture,
)
from tests.support.hostile import TYPES, docx, zipped

WHO = "Siti-penulis-0451"
BODY = (
    '<w:p w:rsidR="00A1"><w:r><w:t>Uang </w:t></w:r>'
    f'<w:ins w:author="{WHO}" w:date="2026-01-01T00:00:00Z"><w:r><w:t>diminta</w:t></w:r></w:ins>'
    f'<w:del w:author="{WHO}"><w:r><w:delText>rahasia lama</w:delText></w:r></w:del>'
    '<w:commentRangeStart w:id="1"/><w:r><w:t> oleh camat</w:t></w:r>'
    '<w:commentRangeEnd w:id="1"/><w:r><w:commentReference w:id="1"/></w:r></w:p>'
    '<w:p xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<w:hyperlink r:id="r3"><w:r><w:drawing><a:blip xmlns:a="urn:a" r:embed="r2"/>'
    "</w:drawing></w:r></w:hyperlink></w:p>"
)
RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="x/comments" Target="comments.xml"/>'
    '<Relationship Id="r2" Type="x/image" Target="media/image1.jpg"/>'
    '<Relationship Id="r3" Type="x/hyperlink" Target="https://contoh.example/siapa" '
    'TargetMode="External"/></Relationships>'
)
PARTS = {
    "docProps/core.xml": f"<a>{WHO}</a>".encode(),
    "docProps/thumbnail.jpeg": b"kecil",
    "word/comments.xml": f"<a>{WHO}</a>".encode(),
    "word/people.xml": f"<a>{WHO}</a>".encode(),
    "word/_rels/document.xml.rels": RELS.encode(),
    "word/media/image1.jpg": picture("JPEG", exif=camera()),
    "customXml/item1.xml": f"<a>{WHO}</a>".encode(),
}


def parts(copy: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(copy)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_letter_keeps_its_last_wording_and_no_name():
    made = opened(docx(BODY, PARTS))
    found = parts(made.copy)
    told = b"".join([*found.values(), *map(str.encode, found)])
    assert made.facts["kind"] == "docx"
    for gone in (WHO, "rahasia lama", "comment", "rsid", "docProps", "contoh.example"):
        assert gone.encode() not in told, gone
    words = found["word/document.xml"]
    assert b"Uang " in words
    assert b"diminta" in words
    assert b" oleh camat" in words
    assert words.index(b"Uang ") < words.index(b"diminta") < words.index(b"oleh camat")
    assert b"about:blank" in found["word/_rels/document.xml.rels"]


def test_a_photo_in_a_letter_tells_no_place():
    found = parts(opened(docx(BODY, PARTS)).copy)
    assert MARK not in found["word/media/image1.jpg"]
    is_bare(found["word/media/image1.jpg"])


def test_nothing_stands_behind_the_pixels_of_a_photo():
    photo = picture("JPEG", exif=camera())
    planted = photo[:-2] + MARK + photo[-2:]
    found = parts(opened(docx(BODY, PARTS | {"word/media/image1.jpg": planted})).copy)
    shown = is_bare(found["word/media/image1.jpg"])
    assert shown.size == (320, 200), "not turned: the document says how it lies"
    assert brightness(shown, (10, 10)) < 300 < brightness(shown, (310, 190))


def test_nothing_tells_when_it_was_packed():
    with zipfile.ZipFile(io.BytesIO(opened(docx(BODY)).copy)) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_sheet_counts_its_days_as_before():
    """One attribute that begins like a moment is none."""
    book = b'<workbook xmlns="x"><workbookPr date1904="1"/><sheets/></workbook>'
    made = opened(
        zipped({"[Content_Types].xml": TYPES.encode(), "xl/workbook.xml": book})
    )
    assert b'date1904="1"' in parts(made.copy)["xl/workbook.xml"]
    assert made.facts["kind"] == "xlsx"


@pytest.mark.parametrize(("form", "code"), [("text", "odt"), ("spreadsheet", "ods")])
def test_an_open_document_too(form, code):
    content = (
        '<o:document-content xmlns:o="urn:o" xmlns:t="urn:t" xmlns:dc="urn:dc">'
        f"<t:tracked-changes><dc:creator>{WHO}</dc:creator>lama</t:tracked-changes>"
        f"<t:p>Uang diminta<o:annotation><dc:creator>{WHO}</dc:creator></o:annotation>"
        " camat</t:p></o:document-content>"
    )
    made = opened(
        zipped(
            {
                "mimetype": f"application/vnd.oasis.opendocument.{form}".encode(),
                "content.xml": content.encode(),
                "meta.xml": f"<a>{WHO}</a>".encode(),
                "Thumbnails/thumbnail.png": b"kecil",
            }
        )
    )
    found = parts(made.copy)
    assert made.facts["kind"] == code
    assert set(found) == {"mimetype", "content.xml"}
    assert WHO.encode() not in found["content.xml"]
    assert b"Uang diminta camat" in found["content.xml"]
