"""PDF: columns in order, the headline by its font size, no running heads."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import Reject, read
from ingest.readers.pdf.layout import Piece, in_reading_order, paragraphs, without_running_heads
from ingest.readers.pdf.reader import read_pdf
from rag.schema import Article
from tests.support.example_counts import example_count
from tests.support.pdf_writer import Line, pdf

LEFT = [
    "   The crane that had stood over the har-",
    "bour of Velsund for sixty years fell on",
    "Tuesday, and two ships were hit.",
    "   Nobody was hurt, said Ida Lund, who",
    "runs the harbour. “We had cleared the",
    "pier an hour before,” she said.",
]
RIGHT = [
    "   The long-known crane was built in 1962",
    "and repaired twice. The council is to",
    "meet on Friday about the two others.",
    "   The long-",
    "known ferries will leave from the old",
    "quay until then.",
]
TEXT = [
    "The crane that had stood over the harbour of Velsund for sixty years fell on Tuesday, and two "
    "ships were hit.",
    "Nobody was hurt, said Ida Lund, who runs the harbour. “We had cleared the pier an hour "
    "before,” she said.",
    "The long-known crane was built in 1962 and repaired twice. The council is to meet on Friday "
    "about the two others.",
    "The long-known ferries will leave from the old quay until then.",
]


def column(left: float, top: float, lines: list[str]) -> list[Line]:
    """Return lines set under each other; those that begin with spaces are indented."""
    return [
        (left + (12 if line.startswith(" ") else 0), top + 14 * n, 11, line.strip())
        for n, line in enumerate(lines)
    ]


FRONT: list[Line] = [
    (50, 30, 9, "Velsund Post"),
    (50, 90, 26, "Crane falls in Velsund,"),
    (50, 120, 26, "two ships are hit"),
    (50, 160, 10, "By Ola Str"),
    (50, 175, 10, "October 24, 2024"),
]
HEADED = [[(50.0, 30.0, 9.0, "Velsund Post"), (280.0, 815.0, 9.0, f"{n}")] for n in range(1, 4)]


def read_article(content: bytes) -> Article:
    found = read_pdf(content, place="crane.pdf")
    assert isinstance(found, Article), found
    return found


def test_columns_are_read_one_after_the_other() -> None:
    found = read_article(pdf([*FRONT, *column(50, 210, LEFT), *column(310, 210, RIGHT)]))
    assert found.title == "Crane falls in Velsund, two ships are hit"
    assert found.authors == ("Ola Str",)
    assert found.published == datetime(2024, 10, 24, tzinfo=UTC)
    assert found.text.split("\n\n") == TEXT


def test_columns_written_line_by_line_are_read_the_same() -> None:
    rows = zip(column(50, 210, LEFT), column(310, 210, RIGHT), strict=True)
    found = read_article(pdf([*FRONT, *(piece for row in rows for piece in row)]))
    assert found.text.split("\n\n") == TEXT


def test_headers_footers_and_page_numbers_are_left_out() -> None:
    pages = [
        [*head, *column(50, 200, lines)]
        for head, lines in zip(HEADED, (LEFT, RIGHT, LEFT), strict=True)
    ]
    pages[0].append((50, 90, 26, "Crane falls in Velsund"))
    text = read_article(pdf(*pages)).text
    assert "Velsund Post" not in text
    assert not [line for line in text.split("\n") if line.strip().isdigit()]
    assert text.count("two ships were hit") == 2


def test_headline_falls_back_to_the_document_title() -> None:
    info = "/Title (Crane falls in Velsund) /Author (Ola Str) /CreationDate (D:20241024083000Z)"
    found = read_article(pdf(column(50, 210, LEFT), info=info))
    assert (found.title, found.authors) == ("Crane falls in Velsund", ("Ola Str",))
    assert found.published == datetime(2024, 10, 24, tzinfo=UTC)
    named = read_article(pdf(column(50, 210, LEFT), info="/Title (Microsoft Word - crane.doc)"))
    assert "Microsoft" not in named.title


def test_pdf_is_detected_by_content(tmp_path: Path) -> None:
    path = tmp_path / "crane.txt"
    path.write_bytes(pdf([*FRONT, *column(50, 210, LEFT)]))
    (found,) = read(path)
    assert isinstance(found, Article)
    assert found.title.startswith("Crane falls")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pdf([]), "without a text layer"),
        (pdf([(50, 50, 10, "Scan 17")]), "without a text layer"),
        (b"%PDF-1.7\nnothing", "PDF is damaged"),
    ],
)
def test_pdf_without_text_says_why(content: bytes, why: str) -> None:
    found = read_pdf(content, place="x.pdf")
    assert isinstance(found, Reject)
    assert why in found.reason


@settings(max_examples=example_count(8))
@given(st.integers(0, 2500), st.binary(max_size=30))
def test_damaged_pdf_raises_nothing(cut: int, damage: bytes) -> None:
    whole = pdf([*FRONT, *column(50, 210, LEFT)])
    assert isinstance(
        read_pdf(whole[:cut] + damage + whole[cut + 9 :], place="x"), Article | Reject
    )


def piece(text: str, left: float = 50, top: float = 100, page: int = 0) -> Piece:
    return Piece(page, text, 10, left, left + 5 * len(text), top, top + 10, 842)


@given(
    st.lists(
        st.builds(
            piece,
            st.text(alphabet="ab c", min_size=1, max_size=60),
            st.floats(0, 500),
            st.floats(0, 800),
            st.integers(0, 2),
        ),
        max_size=40,
    )
)
def test_reading_order_keeps_every_piece_once(pieces: list[Piece]) -> None:
    assert sorted(in_reading_order(pieces), key=repr) == sorted(pieces, key=repr)


def test_hyphenated_word_is_joined() -> None:
    assert paragraphs([piece("the har-"), piece("bour of", top=112)]) == ["the harbour of"]
    known = [piece("a well-known well-"), piece("known man", top=112)]
    assert paragraphs(known) == ["a well-known well-known man"]
    assert paragraphs([piece("the Anglo-"), piece("Saxon", top=112)]) == ["the Anglo-Saxon"]


def test_edge_line_on_one_page_is_kept() -> None:
    pieces = [piece("At the foot of the page", top=810), piece("17", top=820)]
    assert without_running_heads(pieces) == pieces[:1]
