"""Reads a Word document as another program does: through its content types and relations."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree as ET

OFFICE = "http://schemas.openxmlformats.org"
W = f"{{{OFFICE}/wordprocessingml/2006/main}}"
R = f"{{{OFFICE}/officeDocument/2006/relationships}}"
PACKAGE = f"{{{OFFICE}/package/2006/relationships}}"
TYPES = f"{{{OFFICE}/package/2006/content-types}}"


@dataclass
class ReadParagraph:
    """A paragraph: its style, its text, and what the parts of it link to."""

    style: str
    text: str
    links: list[tuple[str, str]]
    bookmarks: list[str]
    right_to_left: bool


def read_word(content: bytes) -> list[ReadParagraph]:
    """Return the paragraphs of a document after checking how its parts belong together."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        parts = {name: packed.read(name) for name in packed.namelist()}
    trees = {name: ET.fromstring(part) for name, part in parts.items()}
    types = trees["[Content_Types].xml"]
    overridden = {one.get("PartName") for one in types.iter(f"{TYPES}Override")}
    assert overridden == {
        f"/{name}" for name in parts if not name.endswith((".rels", "Types].xml"))
    }
    (main,) = (
        one.get("Target")
        for one in trees["_rels/.rels"].iter(f"{PACKAGE}Relationship")
        if str(one.get("Type")).endswith("/officeDocument")
    )
    assert main == "word/document.xml"
    relations = {
        str(one.get("Id")): one
        for one in trees["word/_rels/document.xml.rels"].iter(f"{PACKAGE}Relationship")
    }
    styles = {style.get(f"{W}styleId") for style in trees["word/styles.xml"].iter(f"{W}style")}
    paragraphs = [_read(one, relations) for one in trees[main].iter(f"{W}p")]
    marks = [name for one in paragraphs for name in one.bookmarks]
    assert len(marks) == len(set(marks))
    for paragraph in paragraphs:
        assert paragraph.style in styles
        for _, target in paragraph.links:
            assert target.startswith(("http://", "https://")) or target in marks
    return paragraphs


def _read(paragraph: ET.Element, relations: dict[str, ET.Element]) -> ReadParagraph:
    style = paragraph.find(f"{W}pPr/{W}pStyle")
    assert style is not None
    links = []
    for link in paragraph.iter(f"{W}hyperlink"):
        relation = relations.get(str(link.get(f"{R}id")))
        target = link.get(f"{W}anchor") if relation is None else relation.get("Target")
        assert relation is None or relation.get("TargetMode") == "External"
        links.append((_text(link), str(target)))
    return ReadParagraph(
        str(style.get(f"{W}val")),
        _text(paragraph),
        links,
        [str(mark.get(f"{W}name")) for mark in paragraph.iter(f"{W}bookmarkStart")],
        paragraph.find(f"{W}pPr/{W}bidi") is not None,
    )


def _text(element: ET.Element) -> str:
    parts = (one.text or "" if one.tag == f"{W}t" else "\n" for one in element.iter())
    tags = (one.tag for one in element.iter())
    kept = (f"{W}t", f"{W}br")
    return "".join(part for part, tag in zip(parts, tags, strict=True) if tag in kept)
