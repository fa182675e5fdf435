"""Passages: spans of the text that end with a sentence and fit the model."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import chunking
from rag.chunking import split_article
from rag.nlp.sentences import split_sentences
from rag.schema import Article, Span
from rag.store.articles import embedding_text


class Words:
    """Counts words and punctuation as tokens, plus two for the ends, like BERT's tokenizers."""

    def __init__(self, max_tokens: int = 40) -> None:
        self.max_tokens = max_tokens
        self.calls = 0

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self.calls += 1
        return [len(re.findall(r"\w{1,8}|[^\w\s]", text)) + 2 for text in texts]


class Bytes(Words):
    """Counts bytes: a letter may be several tokens, and a line break is one."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.encode("utf-8", "replace")) + 2 for text in texts]


DAY = datetime(2024, 10, 24, tzinfo=UTC)


def article(text: str, title: str = "Crane falls") -> Article:
    return Article(id="a", title=title, text=text, published=DAY)


def passages(text: str, limit: Words, title: str = "Crane falls") -> list[str]:
    return [text[s.start : s.end] for s in split_article(article(text, title), limit)]


TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "A crane fell. ",
                "“No,” she said. ",
                "\n\n",
                "\n",
                "- one item\n",
                "Heading\n\n",
                "x" * 90,
            ]
        ),
        st.text(max_size=30),
    ),
    max_size=40,
).map("".join)


@settings(deadline=None)
@given(TEXTS, st.integers(20, 80), st.sampled_from([Words, Bytes]))
def test_passages_are_ordered_spans_that_cover_every_sentence(
    text: str, room: int, kind: type[Words]
) -> None:
    limit = kind(room + 50)
    spans = split_article(article(text), limit)
    last = 0
    for span in spans:
        assert last <= span.start < span.end <= len(text)
        assert not text[last : span.start].strip()
        last = span.end
    assert not text[last:].strip()
    texts = [embedding_text(article(text).metadata, text[s.start : s.end]) for s in spans]
    assert all(count <= limit.max_tokens for count in limit.count_tokens(texts))


@settings(deadline=None)
@given(TEXTS)
def test_sentence_that_fits_is_never_split(text: str) -> None:
    limit = Words(400)
    ends = {span.end for span in split_sentences(text)}
    assert all(span.end in ends for span in split_article(article(text), limit))


def test_empty_text_has_no_passages() -> None:
    assert split_article(article(" \n"), Words()) == []


def test_short_article_is_one_passage() -> None:
    assert passages("A crane fell. Nobody was hurt.\n\nIt was old.", Words()) == [
        "A crane fell. Nobody was hurt.\n\nIt was old."
    ]


def test_passages_end_with_paragraphs_if_the_size_allows() -> None:
    one = "The crane fell on the pier at nine. Nobody was hurt when it fell there."
    text = "\n\n".join([one] * 6)
    found = passages(text, Words(45))
    assert len(found) > 1
    assert all(p.endswith("when it fell there.") for p in found)
    assert all(p.startswith("The crane") for p in found)


def test_heading_stays_with_its_section() -> None:
    body = "The crane fell on the pier at nine in the morning, and two ships were hit by it."
    text = f"{body}\n\n{body}\n\nWhat happens next\n\n{body}\n\n{body}"
    assert not any(p.endswith("What happens next") for p in passages(text, Words(52)))


def test_multi_sentence_quotation_stays_whole() -> None:
    said = "“We saw it fall. We ran. Nobody was under it when it came down on us.”"
    lead = "The crane was built in 1962. It had been repaired twice since then, the city says."
    found = passages(f"{lead} {said} {lead}", Words(52))
    assert any(said in p for p in found)


def test_list_stays_whole() -> None:
    items = "- one crane of steel\n- two old ships\n- three ferries of the line"
    lead = "The harbour of Velsund lost more than anybody had thought on that day in October."
    found = passages(f"{lead}\n\n{items}\n\n{lead}\n\n{lead}", Words(50))
    assert any(items in p for p in found)


def test_overlong_sentence_is_split_at_clauses() -> None:
    clause = "the crane fell on the eastern pier of the harbour, "
    text = (clause * 20).strip(", ") + "."
    found = passages(text, Words(40))
    assert " ".join(found) == text
    assert all(p.endswith((",", ".")) for p in found)


def test_overlong_word_loses_nothing() -> None:
    text = "ab" * 5_000
    assert "".join(passages(text, Words(40))) == text


def test_overlong_title_leaves_room_for_the_passage() -> None:
    title = "crane " * 2_000
    assert passages("A crane fell. Nobody was hurt.", Words(64), title) == [
        "A crane fell. Nobody was hurt."
    ]


def test_model_that_reads_less_than_a_title_is_rejected() -> None:
    with pytest.raises(ValueError, match="choose a model that reads more"):
        passages("A crane fell.", Words(6))


def test_overlap_repeats_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "OVERLAP_SENTENCES", 1)
    monkeypatch.setattr(chunking, "TARGET_TOKENS", 10)
    text = " ".join(f"The crane number {i} fell on pier {i}." for i in range(6))
    spans = split_article(article(text), Words(60))
    assert len(spans) > 2
    ends = [Span(0, 0), *split_sentences(text)]
    for earlier, later in pairwise(spans):
        assert later.start in {s.start for s in ends if s.end == earlier.end}


def test_tokens_are_counted_in_one_call_per_article() -> None:
    limit = Words(256)
    assert (
        len(passages("The old crane fell on the pier, and nobody there was hurt.\n\n" * 90, limit))
        > 3
    )
    assert limit.calls == 1


def test_long_text_is_split_in_linear_time() -> None:
    text = "The crane fell on the pier. Nobody was hurt there.\n\n" * 10_000
    begin = time.thread_time()
    assert len(split_article(article(text), Words(256))) > 500
    assert time.thread_time() - begin < 10
