"""PDF documents, read back: words of every script, links, order, properties, hostile text."""

from __future__ import annotations

import re
import time
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.ui.pdf_reader import place_of, read_pdf, rendered
from ui.document import Paragraph, Run, Style
from ui.i18n import texts_in
from ui.pdf import pdf_document

pytestmark = pytest.mark.slow

ENGLISH, GERMAN = texts_in("en"), texts_in("de")
MADE = datetime(2024, 11, 1, 9, 30, tzinfo=UTC)


def made(*paragraphs: Paragraph, title: str = "Bridge") -> bytes:
    return pdf_document(paragraphs, title=title, texts=ENGLISH, made=MADE)


def of_text(text: str, style: Style = "Normal") -> bytes:
    return made(Paragraph((Run(text),), style))


def test_document_has_its_words_links_and_properties_in_order() -> None:
    address = "https://courier.example/1?a=1&b=(2)"
    content = made(
        Paragraph((Run("Why is the bridge shut?"),), "Heading1"),
        Paragraph((Run("It was a storm."), Run("[1]", superscript=True, bookmark="one"))),
        *[Paragraph((Run("The ferry sails."),))] * 60,
        Paragraph((Run("[1] Courier. "), Run(address, address=address)), "Source", "one"),
        title="Why (the) bridge \\ {nb}",
    )
    read = read_pdf(content)
    assert read.text.startswith("Why is the bridge shut? It was a storm.[1] The ferry sails.")
    assert read.text.endswith(f"[1] Courier. {address}")
    last = len(read.pages)
    assert last > 1
    assert read.links == [last, "https://courier.example/1?a=1&b=%282%29"]
    assert [re.search(r"\d+ / \d+$", page.strip())[0] for page in read.pages] == [  # type: ignore[index]
        f"{number} / {last}" for number in range(1, last + 1)
    ]
    assert read.properties["Title"] == "Why (the) bridge \\ {nb}"
    assert read.properties["Author"] == "Backfile"
    assert read.properties["CreationDate"].startswith("D:20241101093000")


@pytest.mark.parametrize(
    "text",
    [
        "Smørbrød, Łódź, “quoted” – señor… 5 € ½",
        "Мост закрыт после шторма.",
        "Η γέφυρα έκλεισε τη Δευτέρα.",
        "Việt Nam ở đâu?",
        "أغلق جسر الميناء بعد العاصفة",
        "הגשר נסגר ביום שני",
        "港の橋は月曜日に閉鎖された。",
        "港口大桥因暴风雨关闭。",
        "항구 다리가 폐쇄되었다.",
        "სიტყვა Բառ สะพาน ★ 😀",
    ],
)
def test_every_script_is_set_and_found_again(text: str) -> None:
    read = read_pdf(of_text(text))
    assert unicodedata.normalize("NFKC", read.text) == unicodedata.normalize("NFKC", text)


def test_shaped_scripts_are_drawn() -> None:
    hindi = "बंदरगाह का पुल बंद है"
    assert rendered(of_text(hindi)) != rendered(of_text("."))
    assert "Devanagari" not in read_pdf(of_text(hindi)).text


@pytest.mark.parametrize("text", ["הגשר נסגר", "أغلق الجسر (today)"])
def test_right_to_left_paragraphs_begin_at_the_right_margin(text: str) -> None:
    assert place_of(of_text(text), text[0]) > 500  # points, of 595
    assert place_of(of_text("Bridge shut"), "B") < 75
    assert place_of(of_text(f"Bridge {text}"), "B") < 75


def test_letters_that_no_font_has_are_named() -> None:
    read = read_pdf(of_text("Tibetan བོད་ཡིག and Cherokee ᏣᎳᎩ."))
    assert read.text == (
        "Tibetan [Tibetan: 7 characters] and Cherokee [Cherokee: 3 characters]. This PDF has no "
        "letters for Cherokee, Tibetan. The export as Word or HTML has the whole text."
    )
    content = pdf_document([Paragraph((Run("ᏣᎳᎩ"),))], title="", texts=GERMAN, made=MADE)
    assert read_pdf(content).text.startswith("[Cherokee: 3 Zeichen] Dieses PDF")


def test_equal_documents_have_equal_bytes() -> None:
    paragraphs = (
        Paragraph((Run("Bridge 橋 جسر"), Run("x", address="https://x.example/")), "Title"),
        Paragraph((Run("पुल", italic=True),), "Small", "one"),
    )
    assert made(*paragraphs) == made(*paragraphs)


@pytest.mark.parametrize(
    "text",
    [
        "word " * 200_000,
        "w" * 1_000_000,
        "جسر " * 6_000,
        "ج(a1[" * 4_000,
        "ج(a)" * 5_000,
        "港" * 20_000,
        "ब" * 20_000,
        "a" + "\u0301" * 19_000,
        "\n" * 20_000,
        "\U000e0041\u202e\u2066" * 5_000,
    ],
    ids=lambda text: ascii(text[:5]),
)
def test_long_text_takes_seconds_and_is_shortened(text: str) -> None:
    began = time.thread_time()
    content = made(Paragraph((Run(text),)), title=text)
    assert time.thread_time() - began < 10
    assert len(content) < 500_000
    assert ("[…]" in read_pdf(content).text) == (len(text) > 20_000)


LINK = st.sampled_from(["", "https://x.example/a(b)", "https://x.example/мост?q=\\)"])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(max_size=60), st.text(max_size=20), LINK, st.booleans())
@example(") Tj ET endstream endobj /JS (app.alert(1)) << >> BT (", "\\)", "", True)
@example("\x00\x1b[31mred\ufffe\ud800\u202e{nb}", "%PDF \r\n", "https://x.example/a(b)", False)
def test_no_text_becomes_more_than_text(text: str, title: str, address: str, bold: bool) -> None:
    quoted = Paragraph((Run(text, bold=bold, address=address), Run("."), Run("end")), "Quote")
    read = read_pdf(made(quoted, title=title))
    assert "end" in read.text
    assert all(str(link).startswith("https://x.example/") for link in read.links)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(st.characters(codec="latin-1", categories=("L", "N", "P")), min_size=1, max_size=40))
def test_plain_words_come_back_as_they_are(text: str) -> None:
    read = re.sub(r"\s", "", read_pdf(of_text(f"{text} end")).text)
    assert unicodedata.normalize("NFKC", read) == unicodedata.normalize("NFKC", f"{text}end")
