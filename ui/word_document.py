"""Word documents (Office Open XML, ECMA-376): paragraphs, links and bookmarks.

A document has the few parts that Word, LibreOffice and Google Docs need, and loads nothing from
elsewhere. Equal content gives equal bytes.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ui.document import Paragraph, Run, Style
from ui.xml_text import xml_attribute, xml_text

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org"
_WORD = f"{_OFFICE}/wordprocessingml/2006/main"
_RELATIONS = f"{_OFFICE}/officeDocument/2006/relationships"
_PACKAGE = f"{_OFFICE}/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_A4 = '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1417" w:right="1417" w:bottom="1417" '
_A4 += 'w:left="1417" w:header="708" w:footer="708" w:gutter="0"/>'  # twentieths of a point
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of a zip file's member

# Styles by name: the paragraph's properties and the font's, sizes in half points.
_STYLES: dict[Style, tuple[str, str]] = {
    "Normal": ('<w:spacing w:after="140" w:line="288" w:lineRule="auto"/>', ""),
    "Title": ('<w:spacing w:after="240"/>', '<w:sz w:val="44"/>'),
    "Heading1": (
        '<w:keepNext/><w:spacing w:before="360" w:after="160"/><w:outlineLvl w:val="0"/>',
        '<w:b/><w:sz w:val="32"/>',
    ),
    "Heading2": (
        '<w:keepNext/><w:spacing w:before="280" w:after="120"/><w:outlineLvl w:val="1"/>',
        '<w:b/><w:sz w:val="26"/>',
    ),
    "Status": ('<w:spacing w:after="120"/>', '<w:b/><w:color w:val="595959"/>'),
    "Fact": ('<w:keepNext/><w:spacing w:after="80"/>', '<w:sz w:val="40"/>'),
    "Quote": ('<w:ind w:left="567" w:right="567"/>', '<w:color w:val="404040"/>'),
    "Source": ('<w:keepNext/><w:spacing w:before="160" w:after="80"/>', ""),
    "Small": ("", '<w:i/><w:color w:val="595959"/><w:sz w:val="18"/>'),
}


def word_document(
    paragraphs: Sequence[Paragraph], *, title: str, language: str, made: datetime | None = None
) -> bytes:
    """Return a document in Word's format (.docx).

    Args:
        paragraphs: The paragraphs, in order.
        title: The title in the document's properties.
        language: The language of the text, for spelling: a tag such as "en".
        made: The time in the document's properties; now by default.
    """
    addresses = list(
        dict.fromkeys(run.address for one in paragraphs for run in one.runs if run.address)
    )
    ids = {address: f"rId{number}" for number, address in enumerate(addresses, start=2)}
    body = "".join(
        _paragraph(paragraph, number, ids) for number, paragraph in enumerate(paragraphs, start=1)
    )
    parts = {
        "[Content_Types].xml": _content_types(),
        "_rels/.rels": _package_relations(),
        "word/document.xml": f'<w:document xmlns:w="{_WORD}" xmlns:r="{_RELATIONS}"><w:body>{body}'
        f"<w:sectPr>{_A4}</w:sectPr></w:body></w:document>",
        "word/styles.xml": _styles(language),
        "word/_rels/document.xml.rels": _document_relations(ids),
        "docProps/core.xml": _properties(title, made or datetime.now(UTC)),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as into:
        for name, content in parts.items():
            into.writestr(zipfile.ZipInfo(name, _EPOCH), _DECLARATION + content, 8)
    return packed.getvalue()


def _paragraph(paragraph: Paragraph, number: int, ids: dict[str, str]) -> str:
    right_to_left = _is_right_to_left("".join(run.text for run in paragraph.runs))
    direction = "<w:bidi/>" if right_to_left else ""
    runs = "".join(_linked(run, ids, right_to_left=right_to_left) for run in paragraph.runs)
    if paragraph.bookmark:
        start = f'<w:bookmarkStart w:id="{number}" w:name={xml_attribute(paragraph.bookmark)}/>'
        runs = f'{start}{runs}<w:bookmarkEnd w:id="{number}"/>'
    style = f'<w:pStyle w:val="{paragraph.style}"/>'
    return f"<w:p><w:pPr>{style}{direction}</w:pPr>{runs}</w:p>"


def _linked(run: Run, ids: dict[str, str], *, right_to_left: bool) -> str:
    content = _run(run, right_to_left=right_to_left)
    if run.address:
        return f'<w:hyperlink r:id="{ids[run.address]}">{content}</w:hyperlink>'
    if run.bookmark:
        return f"<w:hyperlink w:anchor={xml_attribute(run.bookmark)}>{content}</w:hyperlink>"
    return content


def _run(run: Run, *, right_to_left: bool) -> str:
    looks = "".join(  # in the order of the schema
        look
        for look, is_set in (
            ('<w:rStyle w:val="Hyperlink"/>', bool(run.address)),
            ("<w:b/><w:bCs/>", run.bold),
            ("<w:i/><w:iCs/>", run.italic),
            ('<w:vertAlign w:val="superscript"/>', run.superscript),
            ("<w:rtl/>", right_to_left),
        )
        if is_set
    )
    lines = (f'<w:t xml:space="preserve">{xml_text(line)}</w:t>' for line in run.text.split("\n"))
    return f"<w:r><w:rPr>{looks}</w:rPr>{'<w:br/>'.join(lines)}</w:r>"


def _is_right_to_left(text: str) -> bool:
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((one in ("R", "AL") for one in directions if one in ("L", "R", "AL")), False)


def _styles(language: str) -> str:
    fonts = '<w:rFonts w:ascii="Georgia" w:hAnsi="Georgia" w:cs="Times New Roman"/>'
    defaults = (
        f'<w:docDefaults><w:rPrDefault><w:rPr>{fonts}<w:sz w:val="22"/><w:szCs w:val="22"/>'
        f"<w:lang w:val={xml_attribute(language)}/></w:rPr></w:rPrDefault></w:docDefaults>"
    )
    styles = "".join(_style(name, *looks) for name, looks in _STYLES.items())
    link = (
        '<w:style w:type="character" w:styleId="Hyperlink"><w:name w:val="Hyperlink"/>'
        '<w:rPr><w:color w:val="0B5394"/><w:u w:val="single"/></w:rPr></w:style>'
    )
    return f'<w:styles xmlns:w="{_WORD}">{defaults}{styles}{link}</w:styles>'


def _style(name: Style, paragraph: str, font: str) -> str:
    default = ' w:default="1"' if name == "Normal" else ""
    based = "" if name == "Normal" else '<w:basedOn w:val="Normal"/>'
    shown = name.replace("Heading", "heading ")
    return (
        f'<w:style w:type="paragraph"{default} w:styleId="{name}"><w:name w:val="{shown}"/>{based}'
        f"<w:qFormat/><w:pPr>{paragraph}</w:pPr><w:rPr>{font}</w:rPr></w:style>"
    )


def _content_types() -> str:
    def override(part: str, media_type: str) -> str:
        return f'<Override PartName="/{part}" ContentType="{media_type}"/>'

    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        + override("word/document.xml", f"{_TYPE}.document.main+xml")
        + override("word/styles.xml", f"{_TYPE}.styles+xml")
        + override(
            "docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"
        )
        + "</Types>"
    )


def _relations(rows: Iterator[str] | Sequence[str]) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{"".join(rows)}</Relationships>'


def _relation(relation_id: str, kind: str, target: str, mode: str = "") -> str:
    return f'<Relationship Id="{relation_id}" Type="{kind}" Target={xml_attribute(target)}{mode}/>'


def _package_relations() -> str:
    core = f"{_PACKAGE}/relationships/metadata/core-properties"
    return _relations(
        [
            _relation("rId1", f"{_RELATIONS}/officeDocument", "word/document.xml"),
            _relation("rId2", core, "docProps/core.xml"),
        ]
    )


def _document_relations(ids: dict[str, str]) -> str:
    links = (
        _relation(relation_id, f"{_RELATIONS}/hyperlink", address, ' TargetMode="External"')
        for address, relation_id in ids.items()
    )
    return _relations([_relation("rId1", f"{_RELATIONS}/styles", "styles.xml"), *links])


def _properties(title: str, made: datetime) -> str:
    moment = f"{made.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{xml_text(title)}</dc:title><dc:creator>Backfile</dc:creator>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created></cp:coreProperties>'
    )
