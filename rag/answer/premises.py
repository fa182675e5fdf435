"""Detection of false premises: facts that a question presupposes and the passages contradict."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.answer.premise_conflicts import (
    action_stems,
    denies,
    find_other_name,
    find_other_number,
    has_antonym,
    has_name,
    has_numbers,
    is_negative,
    share_of_words,
    shared_words,
    without_refusal_verb,
)
from rag.answer.premise_roles import (
    Predicate,
    find_other_agent,
    is_denied,
    is_hypothetical,
    main_predicate,
    places,
    predicate_matches,
    same_place,
)
from rag.answer.sentence_scoring import SentenceCandidate
from rag.nlp.entities import find_names
from rag.nlp.tokens import content_words, stem_words
from rag.query.parser import ParsedQuery
from rag.schema import Answer, Notice

# Shares of the premise's words. Measured: docs/benchmarks.md#false-premises.
ABOUT_IT = 0.6  # a sentence with its headline is about the premise
OF_ITS_OWN = 0.25  # minimum of the sentence itself, for its headline to count
CONFIRMS_FROM = 0.85  # a sentence confirms the premise, unless something in it contradicts it
LIKE_IT = 0.7  # a sentence is close enough to name another agent, name or place
OF_A_FIGURE = 0.4  # share of the sentence itself, for its figure to count as another one
LEAST_REST = 3  # words of the premise besides a name, without which anything is close to it
_PRONOUN = re.compile(r"(?:He|She|It|They|His|Her|Its|Their|This|That|These|Those)\b")
_PRESUPPOSING = re.compile(
    r"^(?:so |and |but )?(?:why|when|how|where|how come|after|since|by how much|for what reason|"
    r"what (?:made|caused|led|prompted)|who|which)\b",
    re.IGNORECASE,
)
_FACTIVE = re.compile(
    r"^(?:why|when|where|how come|how)\s+"
    r"(?:did|does|do|has|have|had|is|are|was|were|will|would)\s+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PremiseConflict:
    """A sentence that contradicts a question's premise.

    Attributes:
        premise: The premise, in the question's words.
        candidate: The sentence.
        code: The code of the notice that describes the conflict.
        params: The notice's other parameters.
    """

    premise: str
    candidate: SentenceCandidate
    code: str
    params: tuple[tuple[str, str], ...] = ()

    @property
    def notice(self) -> Notice:
        """Notice to show with the sentence."""
        return Notice(self.code, premise=self.premise, **dict(self.params))


PREMISE_CODES = frozenset(
    {
        "premise_contradicted",
        "premise_other_number",
        "premise_other_name",
        "premise_other_actor",
    }
)


def has_false_premise(answer: Answer) -> bool:
    """Return whether an answer says that its question has a false premise."""
    return any(notice.code in PREMISE_CODES for notice in answer.notices)


def find_premise(question: str) -> str:
    """Return the premise of a question, in its own words; "" if it presupposes little."""
    if not _PRESUPPOSING.match(question) or not _FACTIVE.match(question):
        return ""
    rest = _FACTIVE.sub("", question).rstrip("? .")
    return rest if len(content_words(rest)) >= 3 else ""


@dataclass(frozen=True, slots=True)
class _PremiseSentence:
    """A sentence or headline, and its share of the premise's words alone and with its headline."""

    text: str
    candidate: SentenceCandidate
    own: float
    share: float

    @property
    def around(self) -> str:
        """Text with its article's headline."""
        return f"{self.text} {self.candidate.hit.metadata.title}"


def check_premise(
    asked: ParsedQuery, ranked: Sequence[SentenceCandidate]
) -> PremiseConflict | None:
    """Return the sentence that contradicts a question's premise, if any.

    The time range and publishers are removed from the premise before it is checked: within a time
    range, articles don't repeat the date.

    Args:
        asked: The parsed question.
        ranked: Scored sentences, best first.

    Returns:
        The conflict, with the premise as the question states it, if any.
    """
    denial = find_premise_conflict(asked.query, ranked)
    return replace(denial, premise=find_premise(asked.text) or denial.premise) if denial else None


def find_premise_conflict(
    question: str, ranked: Sequence[SentenceCandidate]
) -> PremiseConflict | None:
    """Return the sentence that contradicts a question's premise, if any.

    It contradicts it by a negation, an antonym, another figure for the same thing, or another
    person or place.

    Args:
        question: The question.
        ranked: Scored sentences, best first.

    Returns:
        The conflict; None without one, or if a sentence or headline confirms the premise.
    """
    taken = find_premise(question)
    if not taken or not ranked:
        return None
    wanted, what = stem_words(taken), main_predicate(taken)
    told = _collect_sentences(taken, wanted, ranked)
    near = [t for t in told if t.share >= ABOUT_IT]
    affirming = max((t.own for t in near if _confirms(taken, what, t)), default=0.0)
    for each in near:
        if each.own >= affirming and has_antonym(taken, wanted, each.text, each.around):
            return PremiseConflict(taken, each.candidate, "premise_contradicted")
    if affirming:
        return None
    return _find_contradiction(taken, what, near) or _find_replaced_name(taken, wanted, what, told)


def _collect_sentences(
    taken: str, wanted: frozenset[str], ranked: Sequence[SentenceCandidate]
) -> list[_PremiseSentence]:
    """Return the sentences, then each headline with its article's sentence nearest the premise."""
    nearest: dict[str, SentenceCandidate] = {}
    for candidate in ranked:
        best = nearest.get(candidate.hit.metadata.title)
        if best is None or len(wanted & stem_words(candidate.text)) > len(
            wanted & stem_words(best.text)
        ):
            nearest[candidate.hit.metadata.title] = candidate
    told = []
    for text, candidate in [*((c.text, c) for c in ranked), *nearest.items()]:
        if text.rstrip("”\"’'").endswith("?"):
            continue
        own = shared_words(wanted, taken, text)
        whole = shared_words(wanted, taken, f"{text} {candidate.hit.metadata.title}")
        told.append(_PremiseSentence(text, candidate, own, whole if own >= OF_ITS_OWN else own))
    return told


def _confirms(taken: str, what: Predicate, told: _PremiseSentence) -> bool:
    """Return whether a sentence confirms the premise.

    It has most of its words, all of its names and figures in the same roles, and no denial.
    """
    wanted = stem_words(taken)
    where = [place.text for place in places(taken)]
    return (
        told.own >= CONFIRMS_FROM
        and all(has_name(told.around, name.text) for name in find_names("of " + taken))
        and all(_has_place(told.candidate, told.around, place) for place in where)
        and has_numbers(taken, told.around)
        and predicate_matches(what, told.text)
        and is_negative(taken) <= is_negative(told.text)
        and not (is_denied(taken, what, told.text) or is_hypothetical(what, told.text))
        and (is_negative(taken) or not denies(action_stems(taken), told.text))
        and not has_antonym(taken, wanted, told.text, told.around)
    )


def _has_place(candidate: SentenceCandidate, text: str, place: str) -> bool:
    return any(same_place(name.text, place) for name in find_names(text)) or place in text


def _find_contradiction(
    taken: str, what: Predicate, near: Sequence[_PremiseSentence]
) -> PremiseConflict | None:
    """Return the sentence that denies the action, or gives another figure or agent."""
    refused = without_refusal_verb(taken)
    figured = any(has_numbers(taken, told.text) for told in near)
    for told in near:
        if is_denied(taken, what, told.text) or (
            refused and _confirms(refused, main_predicate(refused), told)
        ):
            return PremiseConflict(taken, told.candidate, "premise_contradicted")
    for told in near:
        if not is_negative(taken) and _denies_act(taken, told.text):
            return PremiseConflict(taken, told.candidate, "premise_contradicted")
    for told in sorted(near, key=lambda t: -t.own):
        figure = ""
        if not figured and told.own >= OF_A_FIGURE:
            figure = find_other_number(taken, told.text)
        if figure:
            return PremiseConflict(
                taken, told.candidate, "premise_other_number", (("number", figure),)
            )
    for told in near:
        is_sentence = told.text == told.candidate.text  # headlines capitalise too many words
        doer = find_other_agent(what, told.text) if is_sentence and told.own >= LIKE_IT else ""
        if doer:
            instead = (("actor", what.who), ("instead", doer))
            return PremiseConflict(taken, told.candidate, "premise_other_actor", instead)
    return None


def _denies_act(taken: str, text: str) -> bool:
    done = action_stems(taken)  # one word in common is too little: "neither minister said a word"
    return share_of_words(done, text) >= min(2, len(done)) and denies(done, text)


def _find_replaced_name(
    taken: str, wanted: frozenset[str], what: Predicate, told: Sequence[_PremiseSentence]
) -> PremiseConflict | None:
    """Return the sentence that says the same of another name or place than the premise."""
    where = {place.text for place in places(taken)}
    for name in find_names("of " + taken):
        rest = wanted - stem_words(name.text)
        likely = [
            t
            for t in told
            if what.act in stem_words(t.text) | stem_words(t.candidate.hit.metadata.title)
        ]
        likely = [t for t in likely if shared_words(rest, taken, t.around) >= LIKE_IT]
        is_place = name.text in where
        least = LEAST_REST - 1 if is_place else LEAST_REST
        if len(rest) < least or any(_mentions(t.around, name.text, is_place) for t in likely):
            continue
        for each in likely:
            instead = find_other_name(taken, name.text, each.text, is_place=is_place)
            # the rest of the passage may name it, so that a pronoun or role refers to it here
            meant = _mentions(each.candidate.hit.passage.text, name.text, is_place)
            if instead and not meant and not _PRONOUN.match(each.text):
                names_given = (("name", name.text), ("instead", instead))
                return PremiseConflict(taken, each.candidate, "premise_other_name", names_given)
    return None


def _mentions(text: str, name: str, is_place: bool) -> bool:
    if is_place:
        return any(same_place(other.text, name) for other in places(text))
    return has_name(text, name)
