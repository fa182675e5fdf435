"""Words that make a sentence state less than its content: negations, denials, conditions, plans."""

from __future__ import annotations

from collections.abc import Sequence

from rag.nlp.analyzers import stem
from rag.verify.terms import Term

# Words that turn what they govern into its opposite.
NEGATORS = frozenset(
    """not no never none nobody nothing neither nor without cannot can't won't don't doesn't didn't
    isn't aren't wasn't weren't hasn't haven't hadn't wouldn't shouldn't couldn't unable false
    untrue wrong untruth hoax myth baseless unfounded unlikely nowhere hardly
    cleared""".split()
)
_NEGATING_VERBS = frozenset(
    """deny refuse fail reject dismiss decline avoid escape survive acquit debunk disprove
    refute block prevent stop cancel drop withdraw abandon lack rule-out oppose overturn
    defeat""".split()
)
# Words that make what they govern possible, wanted, planned or said, rather than a fact.
_UNREAL = {
    "possible": "could may might would should if unless whether possibly perhaps probably likely "
    "potential potentially expected expect risk fear rumour rumor speculate assume suppose",
    "wanted": "hope want wish plan intend aim seek try attempt effort bid urge ask demand call "
    "propose proposal suggest promise vow pledge threaten threat consider weigh mull request "
    "prepare motion campaign push need will shall going",
    "said": "allege allegation accuse accusation claim suspect suspicion reportedly believe "
    "think alleged allegedly supposedly apparent apparently purported",
}
_UNREAL_CLASS = {
    stem(word): kind for kind, words in _UNREAL.items() for word in words.split()
}  # by the stem
_NEGATING = frozenset(stem(word) for word in _NEGATING_VERBS)


def is_negator(term: Term) -> bool:
    """Return True for a negation: "not", "nobody", "didn't", "unable"."""
    return term.lower in NEGATORS or term.lower.endswith("n't")


def is_denial(term: Term) -> bool:
    """Return True for a verb that negates what follows it: "denied", "failed", "rejected"."""
    return term.kind != "name" and term.key in _NEGATING


def unreal_class(term: Term) -> str:
    """Return how a word makes its clause no fact: "possible", "wanted", "said"; or ""."""
    if term.kind == "name":
        return ""
    return _UNREAL_CLASS.get(term.key, "")


def count_negations(terms: Sequence[Term]) -> int:
    """Return the number of negations and denials in terms."""
    return sum(is_negator(term) or is_denial(term) for term in terms)
