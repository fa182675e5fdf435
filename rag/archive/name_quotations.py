"""Quotations by and about somebody in the newest articles that name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.nlp.name_kinds import Kind
from rag.nlp.name_spans import fold
from rag.nlp.quotations import find_quotations, quotable_spans, speaker_name
from rag.schema import ArticleMetadata
from rag.serialize import Serializable
from rag.store.articles import ArticleStore
from rag.store.rows import METADATA, METADATA_WIDTH, row_to_metadata

MOST_QUOTATIONS = 10  # of each sort
MOST_READ = 40  # articles; reading one takes 2 ms
FEWEST_WORDS = 4  # of a quotation: shorter ones quote a term
_QUOTING_LINE = re.compile(r"(?<![^\n])[^\n“”\"„«»]*+[“”\"„«»][^\n]*+")
_PRONOUN = re.compile(r"(?:he|she|they)$", re.IGNORECASE)
_SUFFIX = re.compile(r",? (?:jr|sr)$")


@dataclass(frozen=True, slots=True)
class NameQuotation(Serializable):
    """A quotation in an article, with the sentence around it.

    Attributes:
        text: The sentence or sentences with the quotation and its speaker.
        speaker: The speaker's name, as the article gives it.
        metadata: The metadata of the article.
        start: The start of `text` in the article's text, in characters.
        end: Its end, exclusive.
        printed: The number of articles, of those that were read, that print the same words.
    """

    text: str
    speaker: str
    metadata: ArticleMetadata
    start: int
    end: int
    printed: int = 1


@dataclass(frozen=True, slots=True)
class NameQuotations:
    """Quotations by and about somebody, those of the newest articles first."""

    by: tuple[NameQuotation, ...] = ()
    about: tuple[NameQuotation, ...] = ()


def find_name_quotations(
    store: ArticleStore, revisions: Sequence[int], names: Sequence[str], kind: Kind, standing: str
) -> NameQuotations:
    """Return quotations by and about somebody.

    Args:
        store: The store.
        revisions: Row ids of the revisions that have the name, newest first.
        names: The forms of the name.
        kind: Its kind; places say nothing.
        standing: SQL condition for the revisions of the view.

    Returns:
        At most MOST_QUOTATIONS of each sort, each once, however often it was printed.
    """
    by: dict[str, NameQuotation] = {}
    about: dict[str, NameQuotation] = {}
    forms = _forms(names, kind)
    for metadata, text in _texts(store, revisions[:MOST_READ], standing):
        if len(by) >= MOST_QUOTATIONS and len(about) >= MOST_QUOTATIONS:
            break
        for words, found in _quotations(metadata, text):
            theirs = kind != "place" and _is_named(found.speaker, forms)
            if theirs:
                _add(by, words, found)
            elif found.speaker and _mentions(words, forms):
                _add(about, words, found)
    return NameQuotations(
        tuple(by.values())[:MOST_QUOTATIONS], tuple(about.values())[:MOST_QUOTATIONS]
    )


def _texts(
    store: ArticleStore, revisions: Sequence[int], standing: str
) -> Iterator[tuple[ArticleMetadata, str]]:
    for key in revisions:
        row = store.database.connection.execute(
            f"SELECT {METADATA}, t.text FROM revisions r JOIN texts t ON t.revision_id = r.id "  # nosec B608 # conditions of this code, values bound
            f"WHERE r.id = ? AND {standing}",
            (key,),
        ).fetchone()
        if row is not None:
            yield row_to_metadata(row), row[METADATA_WIDTH]


def _quotations(metadata: ArticleMetadata, text: str) -> Iterator[tuple[str, NameQuotation]]:
    """Yield the quoted words and the quotation of each sentence that quotes somebody."""
    speaker, end = "", 0
    for line in _QUOTING_LINE.finditer(text):  # no quotation goes beyond its paragraph
        if text[end : line.start()].strip():  # "he" may be somebody of the text between
            speaker = ""
        end = line.end()
        for span in quotable_spans(line[0]):
            sentence = line[0][span.start : span.end]
            words = " ".join(one.text for one in find_quotations(sentence))
            if len(words.split()) < FEWEST_WORDS:
                continue
            named = speaker_name(sentence)
            speaker = speaker if _PRONOUN.match(named) else named
            if not speaker:
                continue
            start = line.start() + span.start
            yield (
                words,
                NameQuotation(sentence, speaker, metadata, start, start + len(sentence)),
            )


def _forms(names: Iterable[str], kind: Kind) -> frozenset[str]:
    """Return what may stand for a name: its forms, and a person's surname."""
    forms = {_SUFFIX.sub("", fold(name)) for name in names}
    if kind == "person":
        forms |= {form.split()[-1] for form in forms if len(form.split()[-1]) > 1}
    return frozenset(forms)


def _is_named(speaker: str, forms: frozenset[str]) -> bool:
    said = _SUFFIX.sub("", fold(speaker.removesuffix("’s").removesuffix("'s")))
    if said in forms:
        return True
    words = said.split()
    # "Ann Lee" is not "Bob Lee": a longer name must be one of the forms
    return len(words) == 1 and any(form.split()[-1] == said for form in forms)


def _mentions(words: str, forms: frozenset[str]) -> bool:
    low = fold(words)
    return any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", low) for form in forms)


def _add(found: dict[str, NameQuotation], words: str, one: NameQuotation) -> None:
    key = " ".join(re.findall(r"\w+", words.lower())[:12])
    if key in found:
        found[key] = replace(found[key], printed=found[key].printed + 1)
    else:
        found[key] = one
