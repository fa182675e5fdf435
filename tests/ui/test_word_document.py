"""Word documents: parsed as another program reads them."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from hypothesis import example, given
from hypothesis import strategies as st

from rag.sanitize import strip_controls
from tests.ui.word_reader import read_word
from ui.document import Paragraph, Run
from ui.word_document import word_document

MADE = datetime(2024, 11, 1, 9, 30, tzinfo=UTC)


def test_document_has_its_paragraphs_links_and_properties() -> None:
    content = word_document(
        [
            Paragraph((Run("Bridge"),), "Title"),
            Paragraph((Run("It shut."), Run("[1]", superscript=True, bookmark="one"))),
            Paragraph(
                (Run("Courier. "), Run("here", address="https://courier.example/1?a=1&b=2")),
                "Source",
                "one",
            ),
            Paragraph((Run("أغلق جسر الميناء."),), "Quote"),
            Paragraph((Run("one\ntwo"),), "Small"),
        ],
        title="Bridge & harbour",
        language="de",
        made=MADE,
    )
    title, answer, source, arabic, lines = read_word(content)
    assert (title.style, title.text) == ("Title", "Bridge")
    assert (answer.text, answer.links) == ("It shut.[1]", [("[1]", "one")])
    assert source.links == [("here", "https://courier.example/1?a=1&b=2")]
    assert source.bookmarks == ["one"]
    assert [arabic.right_to_left, lines.right_to_left] == [True, False]
    assert lines.text == "one\ntwo"
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        core = ET.fromstring(packed.read("docProps/core.xml"))
        assert b'<w:lang w:val="de"/>' in packed.read("word/styles.xml")
    assert [one.text for one in core] == ["Bridge & harbour", "Backfile", "2024-11-01T09:30:00Z"]


def test_equal_documents_have_equal_bytes() -> None:
    paragraphs = [Paragraph((Run("Bridge"),))]
    one, other = (word_document(paragraphs, title="T", language="en", made=MADE) for _ in range(2))
    assert one == other


@given(st.text())
@example("</w:t></w:r><w:r><w:t>forged &amp; \x00\x1b[31m\ufffe\ud800]]>")
def test_no_text_becomes_markup(text: str) -> None:
    content = word_document(
        [Paragraph((Run(text, bold=True, italic=True),), "Quote")], title=text, language="en"
    )
    (paragraph,) = read_word(content)
    shown = [c for c in strip_controls(text) if c.isalnum() or c in "<>&"]
    assert [c for c in paragraph.text if c.isalnum() or c in "<>&"] == shown
