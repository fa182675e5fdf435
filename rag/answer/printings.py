"""Printings of a quotation: the passages of an archive that have the same words, or nearly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.nlp.entities import names_match
from rag.nlp.near_duplicates import SHINGLE, shingle_hashes, word_hashes
from rag.nlp.quotations import find_quotations
from rag.nlp.speakers import Speech, find_speech, is_described
from rag.retrieval.backend import SearchBackend
from rag.schema import Filters, Hit, Span

CANDIDATES = 24  # passages compared; a wire quotation has been seen in 19 articles of 11,738
LONGEST_QUERY = 300  # characters: more words cost time and find nothing else
SAME_WORDS = 0.7  # share of the shorter wording's runs of words from which it is the same
PHRASE = 6  # words that are searched for as a phrase


@dataclass(frozen=True, slots=True)
class Printing:
    """A passage with a quotation, the span of its words in the article, and whom it quotes."""

    hit: Hit
    span: Span
    speaker: str = ""


def find_printings(archive: SearchBackend, words: str, filters: Filters) -> tuple[Printing, ...]:
    """Return the passages that print the same words in quotation marks, the oldest article first.

    Args:
        archive: The archive.
        words: The quoted words.
        filters: The filters that the articles must pass.

    Returns:
        One passage of each article.
    """
    start = " ".join(words.split()[:PHRASE]).strip(" ,.!?")
    found = archive.bm25_candidates(
        words[:LONGEST_QUERY], CANDIDATES, filters=filters, phrases=[start]
    )
    printings: dict[str, Printing] = {}
    for hit in archive.load_hits(found, access=filters.access).values():
        span = _find_wording(words, hit)
        if span is not None and hit.metadata.article_id not in printings:
            speaker = _find_speaker(archive, hit, span, filters)
            printings[hit.metadata.article_id] = Printing(hit, span, speaker)
    return tuple(sorted(printings.values(), key=lambda one: _time(one.hit)))


def share_wording(one: Speech, other: Speech) -> bool:
    """Return whether two quotations have the same words, apart from cuts and small edits."""
    return is_same_wording(one.words, other.words)


def is_same_wording(one: str, other: str) -> bool:
    """Return whether two wordings are the same, apart from cuts and small edits."""
    a, b = shingle_hashes(word_hashes(one)), shingle_hashes(word_hashes(other))
    if not len(a) or not len(b):
        return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
    shared = len(set(a.tolist()) & set(b.tolist()))
    return shared >= max(1, SAME_WORDS * min(len(a), len(b)))


def _find_wording(words: str, hit: Hit) -> Span | None:
    passage = hit.passage
    for quotation in find_quotations(passage.text):
        if len(quotation.text.split()) >= SHINGLE and is_same_wording(words, quotation.text):
            return Span(passage.start + quotation.start, passage.start + quotation.end)
    return None


def _find_speaker(archive: SearchBackend, hit: Hit, span: Span, filters: Filters) -> str:
    article = archive.article(hit.metadata.article_id, access=filters.access)
    if article is None or article.revision != hit.passage.revision:
        return ""
    around = Span(hit.passage.start, hit.passage.end)
    found = (
        s for s in find_speech(article.text, around) if s.span.start <= span.start < s.span.end
    )
    return next((one.speaker for one in found), "")


def agreed_speaker(own: str, printings: Sequence[Printing]) -> str:
    """Return the speaker of words that several articles print; "" if they name different people.

    Args:
        own: The speaker of the quotation that is shown; "" if it isn't clear.
        printings: The printings of its words.
    """
    named = [one.speaker for one in printings if one.speaker and not is_described(one.speaker)]
    speaker = own or next(iter(named), "")
    if is_described(speaker):
        return speaker
    agree = all(names_match(speaker, other) for other in named)
    return max([speaker, *named], key=len) if agree else ""


def _time(hit: Hit) -> tuple[float, str]:
    published = hit.metadata.published
    return (published.timestamp() if published else float("inf")), hit.metadata.article_id
