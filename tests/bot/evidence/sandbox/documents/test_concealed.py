"""What a document holds and does not show is not in its copy; what it shows stays."""

import pytest

from tests.bot.evidence.sandbox.documents.test_clean import parts
from tests.bot.evidence.sandbox.documents.test_marks import (
    MC,
    A,
    P,
    R,
    W,
    X,
    book,
    linked,
    odt,
    rels,
    slides,
    told,
)
from tests.bot.evidence.sandbox.sandboxes import copied
from tests.bot.evidence.sandbox.test_pictures import picture
from tests.support.hostile import docx, zipped

HIDDEN_RUN = "<w:r><w:rPr><w:vanish/></w:rPr><w:t>TANDA</w:t></w:r>"
SHOWN_RUN = "<w:r><w:t>hasil</w:t></w:r>"


def styled(body: str, styles: str) -> bytes:
    line = 'Id="t1" Type="x/styles" Target="styles.xml"'
    more = {"word/styles.xml": f"<w:styles {W}>{styles}</w:styles>".encode()}
    return docx(body, linked("word/document.xml", line, more))


STYLES = (
    '<w:style w:styleId="Rahasia"><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:styleId="Anak"><w:basedOn w:val="Rahasia"/></w:style>'
    '<w:style w:styleId="Biasa"><w:basedOn w:val="Rahasia"/>'
    '<w:rPr><w:vanish w:val="0"/></w:rPr></w:style>'
)


def in_style(name: str, text: str) -> str:
    return f'<w:r><w:rPr><w:rStyle w:val="{name}"/></w:rPr><w:t>{text}</w:t></w:r>'


def sheets(state: str) -> bytes:
    """A book whose second sheet is hidden, with a drawing of its own."""
    more = {
        "xl/_rels/workbook.xml.rels": rels(
            'Id="s2" Type="x/worksheet" Target="worksheets/sheet2.xml"'
        ),
        "xl/worksheets/sheet2.xml": (
            f'<worksheet {X} xmlns:r="{R}"><sheetData><row r="1"><c r="A1" '
            't="inlineStr"><is><t>TANDA</t></is></c></row></sheetData>'
            '<drawing r:id="d1"/></worksheet>'
        ).encode(),
        "xl/worksheets/_rels/sheet2.xml.rels": rels(
            'Id="d1" Type="x/drawing" Target="../drawings/drawing1.xml"'
        ),
        "xl/drawings/drawing1.xml": b"<d>TANDA</d>",
    }
    second = f'<sheets><sheet name="TANDA" state="{state}" r:id="s2"/></sheets>'
    return book(second, SHOWN_CELL, more)


SHOWN_CELL = '<sheetData><row r="1"><c r="A1"><v>hasil</v></c></row></sheetData>'


def cells(
    before: str = "",
    row: str = "",
    after: str = "",
    more: dict[str, bytes] | None = None,
) -> bytes:
    """Two rows of three cells; the second of each holds what is planted."""
    shown = "<c r='{0}1'><v>hasil</v></c>"
    lines = (
        f"<row r='1'>{shown.format('A')}<c r='B1' s='1'><v>TANDA</v></c></row>"
        f"<row r='2' {row}><c r='A2'><v>{'TANDA' if row else 'hasil'}</v></c>"
        "<c r='B2' s='1'><v>TANDA</v></c></row>"
    )
    if row:
        lines = lines.replace("<c r='B1' s='1'><v>TANDA</v></c>", "")
    return book("", f"{before}<sheetData>{lines}</sheetData>{after}", more)


def strings(cell: str) -> bytes:
    listed = "<si><t>hasil</t></si><si><r><t>TANDA</t></r><phoneticPr/></si>"
    more = {
        "xl/sharedStrings.xml": f"<sst {X}>{listed}</sst>".encode(),
        "xl/_rels/workbook.xml.rels": rels(
            'Id="t1" Type="x/sharedStrings" Target="sharedStrings.xml"'
        ),
    }
    return book("", f"<sheetData><row r='1'>{cell}</row></sheetData>", more)


def formats() -> bytes:
    told = (
        f'<styleSheet {X}><numFmts><numFmt numFmtId="164" formatCode=";;;"/></numFmts>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
    )
    more = {
        "xl/styles.xml": told.encode(),
        "xl/_rels/workbook.xml.rels": rels(
            'Id="t1" Type="x/styles" Target="styles.xml"'
        ),
    }
    return cells(more=more)


def table_of(columns: str, rows: str) -> str:
    return f'<t:table t:style-name="ta1">{columns}{rows}</t:table>'


def ods(styles: str, *tables: str) -> bytes:
    spaces = (
        'xmlns:o="urn:o" xmlns:t="urn:table" xmlns:x="urn:text" xmlns:s="urn:style" '
        'xmlns:d="urn:draw" xmlns:p="urn:presentation"'
    )
    body = (
        f"<o:document-content {spaces}>{styles}{''.join(tables)}</o:document-content>"
    )
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": body.encode(),
        }
    )


def style(name: str, family: str, properties: str) -> str:
    return (
        f'<s:style s:name="{name}" s:family="{family}"><s:properties {properties}/>'
        "</s:style>"
    )


CELL = '<t:table-cell {1} o:string-value="{0}"><x:p>{0}</x:p></t:table-cell>'
SHOWN, SECRET = CELL.format("hasil", ""), CELL.format("TANDA", "")
FIRST = table_of("", f"<t:table-row>{SHOWN}</t:table-row>")

CONCEALED = {
    "a word that is hidden": docx(f"<w:p>{SHOWN_RUN}{HIDDEN_RUN}</w:p>"),
    "a word in a style that hides": styled(
        f"<w:p>{SHOWN_RUN}{in_style('Anak', 'TANDA')}</w:p>", STYLES
    ),
    "a paragraph in a style that hides": styled(
        '<w:p><w:pPr><w:pStyle w:val="Rahasia"/></w:pPr><w:r><w:t>TANDA</w:t></w:r>'
        f"</w:p><w:p>{SHOWN_RUN}</w:p>",
        STYLES,
    ),
    "a row of a table that is hidden": docx(
        "<w:tbl><w:tr><w:trPr><w:hidden/></w:trPr><w:tc><w:p><w:r><w:t>TANDA</w:t>"
        f"</w:r></w:p></w:tc></w:tr></w:tbl><w:p>{SHOWN_RUN}</w:p>"
    ),
    "a shape that is hidden": docx(
        f'<w:p>{SHOWN_RUN}<w:r><w:drawing><wp:inline xmlns:wp="urn:wp"><wp:docPr '
        'name="a" hidden="1"/><a>TANDA</a></wp:inline></w:drawing></w:r></w:p>'
    ),
    "a shape of old that is hidden": docx(
        f'<w:p>{SHOWN_RUN}<w:r><w:pict><v:shape xmlns:v="urn:v" style="width:9pt;'
        'visibility:hidden"><a>TANDA</a></v:shape></w:pict></w:r></w:p>'
    ),
    "the other way of a shape": docx(
        f'<w:p><mc:AlternateContent {MC}><mc:Choice Requires="wps">{SHOWN_RUN}'
        "</mc:Choice><mc:Fallback><w:r><w:t>TANDA</w:t></w:r></mc:Fallback>"
        "</mc:AlternateContent></w:p>"
    ),
    "a way that nobody takes": docx(
        f'<w:p><mc:AlternateContent {MC}><mc:Choice Requires="lain"><w:r><w:t>TANDA'
        f"</w:t></w:r></mc:Choice><mc:Fallback>{SHOWN_RUN}</mc:Fallback>"
        "</mc:AlternateContent></w:p>"
    ),
    "a part of no known kind": docx(
        f"<w:p>{SHOWN_RUN}</w:p>",
        linked(
            "word/document.xml",
            'Id="u" Type="x/unknown" Target="lain/isi.xml"',
            {"word/lain/isi.xml": b"<a>TANDA</a>"},
        ),
    ),
    "a part that nothing leads to": docx(
        f"<w:p>{SHOWN_RUN}</w:p>", {"word/header9.xml": b"<a>TANDA</a>"}
    ),
    "what extends a part": docx(
        f"<w:p>{SHOWN_RUN}<w:extLst><a>TANDA</a></w:extLst></w:p>"
    ),
    "a part that another kind would have": docx(
        f"<w:p>{SHOWN_RUN}</w:p>", {"mimetype": b"TANDA", "styles.xml": b"<a>TANDA</a>"}
    ),
    "a font of its own": docx(
        f"<w:p>{SHOWN_RUN}</w:p>",
        linked(
            "word/document.xml",
            'Id="f" Type="x/fontTable" Target="fontTable.xml"',
            {
                "word/fontTable.xml": (
                    f'<w:fonts {W} xmlns:r="{R}"><w:font><w:embedRegular r:id="f1"/>'
                    "</w:font></w:fonts>"
                ).encode(),
                "word/_rels/fontTable.xml.rels": rels(
                    'Id="f1" Type="x/font" Target="fonts/font1.odttf"'
                ),
                "word/fonts/font1.odttf": b"TANDA",
            },
        ),
    ),
    "a font of an open document": odt(
        "<t:p>hasil</t:p><s:font-face><s:font-face-src><s:font-face-uri "
        'x:href="Fonts/a.ttf"/></s:font-face-src></s:font-face>',
        {"Fonts/a.ttf": b"TANDA"},
    ),
    "a hidden sheet": sheets("hidden"),
    "a very hidden sheet": sheets("veryHidden"),
    "a hidden row": cells(row="hidden='1'"),
    "a row of no height": cells(row="ht='0'"),
    "a hidden column": cells("<cols><col min='2' max='3' hidden='1'/></cols>"),
    "a column of no width": cells("<cols><col min='2' max='2' width='0'/></cols>"),
    "cells under a merged one": cells(
        after="<mergeCells><mergeCell ref='A1:B1'/><mergeCell ref='A2:B2'/></mergeCells>"
    ),
    "a format that shows nothing": formats(),
    "a string that no cell shows": strings("<c r='A1' t='s'><v>0</v></c>"),
    "a string of a hidden cell": strings(
        "<c r='A1' t='s'><v>0</v></c></row><row r='2' hidden='1'>"
        "<c r='A2' t='s'><v>1</v></c>"
    ),
    "the columns of a table in a hidden one": cells(
        "<cols><col min='2' max='2' hidden='1'/></cols>",
        after="<tableParts><tablePart r:id='t1'/></tableParts>",
        more={
            "xl/worksheets/_rels/sheet1.xml.rels": rels(
                'Id="t1" Type="x/table" Target="../tables/table1.xml"'
            ),
            "xl/tables/table1.xml": f'<table {X}><a name="TANDA"/></table>'.encode(),
        },
    ),
    "the memory of a pivot table": book(
        '<pivotCaches><pivotCache r:id="p1"/></pivotCaches>',
        SHOWN_CELL,
        {
            "xl/_rels/workbook.xml.rels": rels(
                'Id="p1" Type="x/pivotCacheDefinition" '
                'Target="pivotCache/pivotCacheDefinition1.xml"'
            ),
            "xl/pivotCache/pivotCacheDefinition1.xml": b"<a>TANDA</a>",
            "xl/pivotCache/pivotCacheRecords1.xml": b"<a>TANDA</a>",
        },
    ),
    "what a filter chose": book(
        "",
        f'{SHOWN_CELL}<autoFilter ref="A1:A9"><filterColumn colId="0"><filters>'
        '<filter val="TANDA"/></filters></filterColumn></autoFilter>',
    ),
    "a hidden name": book(
        '<definedNames><definedName name="a" hidden="1">TANDA</definedName>'
        "</definedNames>",
        SHOWN_CELL,
    ),
    "a hidden shape on a sheet": book(
        "",
        f'{SHOWN_CELL}<drawing r:id="d1"/>',
        {
            "xl/worksheets/_rels/sheet1.xml.rels": rels(
                'Id="d1" Type="x/drawing" Target="../drawings/drawing1.xml"'
            ),
            "xl/drawings/drawing1.xml": (
                b'<d><twoCellAnchor><sp><nvSpPr><cNvPr hidden="1"/></nvSpPr>'
                b"<t>TANDA</t></sp></twoCellAnchor></d>"
            ),
        },
    ),
    "a hidden slide": zipped(
        {
            name: data.replace(b"<p:sldIdLst>", b"<a>hasil</a><p:sldIdLst>")
            for name, data in parts(
                slides("<p:cSld><p:spTree><a>TANDA</a></p:spTree></p:cSld>", show="0")
            ).items()
        }
    ),
    "a hidden shape on a slide": slides(
        '<p:sp><p:nvSpPr><p:cNvPr hidden="1"/></p:nvSpPr><a>TANDA</a></p:sp><a>hasil</a>'
    ),
    "the notes of a slide": slides(
        "<a>hasil</a>",
        {
            "ppt/slides/_rels/slide1.xml.rels": rels(
                'Id="n1" Type="x/notesSlide" Target="../notesSlides/notesSlide1.xml"'
            ),
            "ppt/notesSlides/notesSlide1.xml": f"<p:notes {P}>TANDA</p:notes>".encode(),
        },
    ),
    "a hidden section": odt(
        '<t:section t:display="none">TANDA</t:section><t:p>hasil</t:p>'
    ),
    "a section that is hidden for now": odt(
        '<t:section t:display="condition" t:is-hidden="true">TANDA</t:section>'
        "<t:p>hasil</t:p>"
    ),
    "hidden words": odt('<t:p>hasil<t:hidden-text t:string-value="TANDA"/></t:p>'),
    "a hidden paragraph": odt(
        '<t:p>TANDA<t:hidden-paragraph t:is-hidden="true"/></t:p><t:p>hasil</t:p>'
    ),
    "words for another case": odt(
        '<t:p><t:conditional-text t:string-value-if-true="TANDA">hasil'
        "</t:conditional-text></t:p>"
    ),
    "a word kept for a field": odt(
        '<t:user-field-decls><t:u o:string-value="TANDA"/></t:user-field-decls>'
        "<t:p>hasil</t:p>"
    ),
    "words in a style that hides them": ods(
        style("T1", "text", 'x:display="none"')
        + style("T1", "paragraph", 'x:display="true"'),
        '<x:p x:style-name="T1">hasil<x:span x:style-name="T1">TANDA</x:span></x:p>',
    ),
    "a hidden sheet of an open document": ods(
        style("ta9", "table", 't:display="false"'),
        FIRST,
        table_of("", f"<t:table-row>{SECRET}</t:table-row>").replace("ta1", "ta9"),
    ),
    "a hidden row of one": ods(
        "",
        FIRST,
        table_of("", f'<t:table-row t:visibility="collapse">{SECRET}</t:table-row>'),
    ),
    "a row that is filtered out": ods(
        "",
        FIRST,
        table_of("", f'<t:table-row t:visibility="filter">{SECRET}</t:table-row>'),
    ),
    "a folded group of rows": ods(
        "",
        FIRST,
        table_of(
            "",
            f'<t:table-row-group t:display="false"><t:table-row>{SECRET}'
            "</t:table-row></t:table-row-group>",
        ),
    ),
    "a hidden column of one": ods(
        "",
        table_of(
            '<t:table-column t:number-columns-repeated="2"/>'
            '<t:table-column t:visibility="collapse"/>',
            "<t:table-row>"
            + CELL.format("hasil", 't:number-columns-repeated="2"')
            + f"{SECRET}</t:table-row>",
        ),
    ),
    "a cell under another one": ods(
        "",
        table_of(
            "",
            f"<t:table-row>{SHOWN}{SECRET}</t:table-row>".replace(
                SECRET, SECRET.replace("table-cell", "covered-table-cell")
            ),
        ),
    ),
    "a hidden slide of one": ods(
        style("dp1", "drawing-page", 'p:visibility="hidden"'),
        '<d:page d:style-name="dp1"><x:p>TANDA</x:p></d:page><d:page>hasil</d:page>',
    ),
    "a layer that is off": ods(
        '<d:layer d:name="L" d:display="none"/>',
        '<d:page><d:frame d:layer="L">TANDA</d:frame>hasil</d:page>',
    ),
    "the notes of a page": ods("", "<d:page>hasil<p:notes>TANDA</p:notes></d:page>"),
}


@pytest.mark.parametrize("name", CONCEALED)
def test_what_is_not_shown_is_not_in_the_copy(name: str) -> None:
    original = CONCEALED[name]
    assert b"TANDA" in told(original)
    made = copied(original)
    assert "why" not in made.facts
    assert b"TANDA" not in told(made.copy)
    assert b"hasil" in told(made.copy)


SEEN = {
    "a word that a style hides and a run does not": styled(
        '<w:p><w:pPr><w:pStyle w:val="Rahasia"/></w:pPr><w:r><w:rPr><w:vanish '
        'w:val="false"/></w:rPr><w:t>hasil</w:t></w:r></w:p>',
        STYLES,
    ),
    "a style that hides no more": styled(
        f"<w:p>{in_style('Biasa', 'hasil')}</w:p>", STYLES
    ),
    "a cell beside a hidden column": book(
        "",
        "<cols><col min='2' max='2' hidden='1'/></cols><sheetData><row><c/><c/>"
        "<c><v>hasil</v></c></row></sheetData>",
    ),
    "a sheet that another program named": zipped(
        {
            name.replace("/sheet1.xml", "/Sheet_1.xml"): data.replace(
                b"/sheet1.xml", b"/Sheet_1.xml"
            )
            for name, data in parts(book("", SHOWN_CELL)).items()
        }
    ),
    "a string that a cell shows": strings("<c r='A1' t='s'><v>0</v></c>"),
    "a section that may be hidden and is not": odt(
        '<t:section t:display="condition" t:is-hidden="false">hasil</t:section>'
    ),
    "a style of the same name in another family": ods(
        style("T1", "text", 'x:display="none"'), '<x:p x:style-name="T1">hasil</x:p>'
    ),
    "a shape that is shown": slides(
        '<p:sp><p:nvSpPr><p:cNvPr hidden="0"/></p:nvSpPr><a>hasil</a></p:sp>'
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_what_is_shown_stays(name: str) -> None:
    assert b"hasil" in told(copied(SEEN[name]).copy)


def test_a_picture_of_what_is_hidden_goes_with_it() -> None:
    body = (
        f'<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:drawing><a:blip {A} xmlns:r="{R}" '
        f'r:embed="p1"/></w:drawing></w:r>{SHOWN_RUN}</w:p>'
    )
    line = 'Id="p1" Type="x/image" Target="media/image1.png"'
    more = linked("word/document.xml", line, {"word/media/image1.png": picture("PNG")})
    found = parts(copied(docx(body, more)).copy)
    assert set(found) == {
        "[Content_Types].xml",
        "word/document.xml",
        "word/_rels/document.xml.rels",
    }


def test_a_way_that_is_taken_stands_alone() -> None:
    """What knows alternatives wants a first choice among them."""
    found = parts(copied(CONCEALED["a way that nobody takes"]).copy)
    assert b"AlternateContent" not in found["word/document.xml"]
    found = parts(copied(CONCEALED["the other way of a shape"]).copy)
    assert b"Choice" in found["word/document.xml"]
    assert b"Fallback" not in found["word/document.xml"]


def test_a_hidden_slide_keeps_what_every_slide_has() -> None:
    tree = "<p:spTree><p:nvGrpSpPr/><p:grpSpPr/><p:sp/></p:spTree>"
    found = parts(copied(slides(tree, show="0")).copy)["ppt/slides/slide1.xml"]
    assert b"nvGrpSpPr" in found
    assert b"<p:sp/>" not in found


def test_no_font_is_named_that_is_not_there() -> None:
    found = parts(copied(CONCEALED["a font of its own"]).copy)
    assert b"embedRegular" not in found["word/fontTable.xml"]
    found = parts(copied(CONCEALED["a font of an open document"]).copy)
    assert b"font-face-uri" not in found["content.xml"]


def test_a_list_of_names_is_not_left_empty() -> None:
    found = parts(copied(CONCEALED["a hidden name"]).copy)
    assert b"definedName" not in found["xl/workbook.xml"]


def test_a_picture_that_an_open_document_shows_stays() -> None:
    image = '<d:frame><d:image x:href="Pictures/a.png"/></d:frame>'
    hidden = image.replace("a.png", "b.png")
    content = f'<t:p>{image}</t:p><t:section t:display="none">{hidden}</t:section>'
    more = {f"Pictures/{name}.png": picture("PNG") for name in "ab"}
    found = parts(copied(odt(content, more)).copy)
    assert "Pictures/a.png" in found
    assert "Pictures/b.png" not in found
