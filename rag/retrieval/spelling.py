"""Spelling: words of a question that the archive lacks are matched against its own words.

A name that the archive has is never changed. Similar words are found in the term dictionary of the
text index, and spelt as in the passages that have them.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag.nlp.edit_distance import edit_distance
from rag.nlp.entities import find_names
from rag.nlp.tokens import FUNCTION_WORDS, STOP_WORDS, TOKEN, stem_words
from rag.query.commands import command_spans
from rag.retrieval.backend import SearchBackend
from rag.schema import Access, Filters

PASSAGES = 8  # passages from which the right spelling is read
SHORTEST_NAME = 5  # letters from which a name may be corrected; in shorter ones only a swap
SHORTEST_SWAP = 4
SHORTEST_WORD = 6  # the same for words that are no names, which are rarely looked for
TWO_EDITS = 8  # letters from which two may be wrong
# Passages that must have a word that is no name: an ordinary word may only be missing by chance.
COMMON_MENTIONS = 6
NAME_MENTIONS = 2  # the same of a name of one word: a chance likeness is mentioned once
# Letters that are taken for each other; of names of one word, others make another name.
ALIKE = ("aeiouy", "ckqg", "szx", "vwf", "bp", "dt", "mn", "ij", "lr")
MOST_WORDS = 3  # corrections of a question
LONGEST_NAME = 4  # words of a name
_WORDS = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Correction:
    """Words of a question, and the spelling of the archive."""

    given: str
    instead: str


def correct_spelling(
    archive: SearchBackend, text: str, *, access: Access = (), known: Iterable[str] = ()
) -> tuple[str, tuple[Correction, ...]]:
    """Return a question with the archive's spelling of the words that no article has.

    Args:
        archive: The archive.
        text: The question.
        access: The reader's rights, as in `Filters`.
        known: Names that are right, such as the publishers'.

    Returns:
        The question, and what was corrected in it.
    """
    filters = Filters(access=access)
    right = {word.casefold() for name in known for word in TOKEN.findall(name)}
    found: list[Correction] = []
    for words in _suspects(text):
        if len(found) == MOST_WORDS:
            break
        given = " ".join(words)
        if given not in text or all(word.casefold() in right for word in words):
            continue
        instead = _archive_spelling(archive, words, filters, needed=_needed_mentions(words))
        if instead and stem_words(instead) != stem_words(given):
            found.append(Correction(given, instead))
            text = _replace_words(text, given, instead)
    return text, tuple(found)


def _replace_words(text: str, given: str, instead: str) -> str:
    return re.sub(rf"(?<!\w){re.escape(given)}(?!\w)", lambda _: instead, text)


def _suspects(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the names of a question; without one, its pairs of words and its content words."""
    names = [tuple(_WORDS.findall(name.text)) for name in find_names(text)]
    yield from (words for words in names if 0 < len(words) <= LONGEST_NAME)
    if names:  # an ordinary word beside a name may only be missing by chance
        return
    yield from _pairs(text)
    commands = command_spans(text)
    for m in _WORDS.finditer(text):
        word, around = m[0], text[max(0, m.start() - 1) : m.end() + 1]
        in_address = re.match(r"[./@]", around) or re.match(r"\.\w", text[m.end() : m.end() + 2])
        asks = any(start <= m.start() < end for start, end in commands)
        if word in STOP_WORDS | FUNCTION_WORDS or in_address or asks:
            continue
        if word.islower() and len(word) >= SHORTEST_WORD:
            yield (word,)


def _pairs(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the neighbouring words that may be a name in a question without capitals."""
    found = list(_WORDS.finditer(text))
    for one, other in itertools.pairwise(found):
        pair = (one[0], other[0])
        if text[one.end() : other.start()] == " " and all(
            word.islower() and len(word) >= SHORTEST_SWAP and word not in STOP_WORDS
            for word in pair
        ):
            yield pair


def _needed_mentions(words: Sequence[str]) -> int:
    """Return the number of passages that must have the right spelling of a word or name."""
    return 1 if len(words) > 1 and words[0][0].isupper() else NAME_MENTIONS


def _archive_spelling(
    archive: SearchBackend, words: Sequence[str], filters: Filters, *, needed: int
) -> str:
    """Return the archive's spelling of a name or word; "" if it has that one, or none like it."""
    if archive.spelling_candidates(words, 1, edits=0, filters=filters):
        return ""
    long_name = any(word[0].isupper() and len(word) >= TWO_EDITS for word in words)
    edits = 2 if long_name else 1
    for allowed in range(1, edits + 1):
        near = archive.spelling_candidates(words, PASSAGES, edits=allowed, filters=filters)
        hits = archive.load_hits(near, access=filters.access).values()
        spelt = Counter(
            phrase
            for hit in hits
            for phrase in set(
                _similar_phrases(words, f"{hit.metadata.title}\n{hit.passage.text}", allowed)
            )
        )
        for best, mentions in spelt.most_common():
            least = COMMON_MENTIONS if best.islower() else needed
            if len(words) == 1 and _is_another_word(words[0], best):
                continue
            if mentions >= least and (best[0].isupper() or words[0].islower()):
                return best
    return ""


def _similar_phrases(words: Sequence[str], text: str, edits: int) -> Iterator[str]:
    """Yield the phrases of a text whose words differ from `words` by a few letters."""
    found = list(_WORDS.finditer(text))
    for i in range(len(found) - len(words) + 1):
        group = found[i : i + len(words)]
        if all(
            word[0].casefold() == m[0][0].casefold() and _is_misspelt(word, _bare(m[0]), edits)
            for word, m in zip(words, group, strict=True)
        ) and not re.search(r"[.!?\n]", text[group[0].end() : group[-1].start()]):
            yield _bare(text[group[0].start() : group[-1].end()])


def _is_another_word(given: str, right: str) -> bool:
    """Return whether the only difference is one letter for another that doesn't sound alike."""
    one, other = given.casefold(), right.casefold()
    if len(one) != len(other):
        return False
    differing = [{a, b} for a, b in zip(one, other, strict=True) if a != b]
    return len(differing) == 1 and not any(differing[0] <= set(alike) for alike in ALIKE)


def _bare(name: str) -> str:
    return re.sub(r"['’]s$", "", name)


def _is_misspelt(given: str, right: str, edits: int) -> bool:
    """Return whether a word may be a misspelling of one with its first letter, or is that word."""
    one, other = given.casefold(), right.casefold()
    if one == other:
        return True
    apart = edit_distance(one, other)
    if _is_swap(one, other):
        return len(one) >= SHORTEST_SWAP
    shortest = min(len(one), len(other))
    allowed = 2 if shortest >= TWO_EDITS else 1 if shortest >= SHORTEST_NAME else 0
    return apart <= min(edits, allowed)


def _is_swap(one: str, other: str) -> bool:
    """Return whether two neighbouring letters have changed places."""
    if len(one) != len(other):
        return False
    at = [i for i in range(len(one)) if one[i] != other[i]]
    return (
        len(at) == 2
        and at[1] == at[0] + 1
        and one[at[0]] == other[at[1]]
        and one[at[1]] == other[at[0]]
    )
