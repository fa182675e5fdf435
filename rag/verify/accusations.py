"""Accusations of people, which need exact evidence."""

from __future__ import annotations

from collections.abc import Iterable

from rag.nlp.entities import find_names
from rag.verify.operators import count_negations
from rag.verify.terms import Term, split_terms

# Words that accuse the person they are said of, and those of what follows from an accusation.
# Words that are said of storms, roads and prices as often are left out: "killed", "traffic".
_WORDS = """
    indict arrest detain jail imprison convict prosecute guilty felon fraud fraudster defraud
    embezzle launder bribe bribery corrupt corruption kickback liar mislead misled perjury forge
    forgery falsify thief extort blackmail abuse abuser rape rapist molest grope harass harassment
    killer murder murderer manslaughter strangle torture trafficker smuggler kidnap racist
    antisemitic sexist cheat doping plagiarise plagiarize plagiarism terrorist espionage traitor
    scam swindle swindler conspire collude collusion misconduct pedophile paedophile
""".split()
_STEMS = frozenset(term.key for word in _WORDS for term in split_terms(word))
# In these forms only: a river lies, and a hotel charges.
_FORMS = frozenset("charged lied lying stole stolen assaulted stabbed robbed sentenced".split())
_PERSONS = frozenset(
    """he she they who him her them his their man woman boy girl mother father son daughter wife
    husband minister president mayor senator governor director executive chief officer leader
    boss coach player actor singer teacher priest doctor judge lawyer police politician suspect
    treasurer""".split()
)


def accusations(claim: str) -> list[Term]:
    """Return the words of a claim that accuse a person; none if it negates them or names nobody."""
    terms = split_terms(claim)
    accusing = [
        term
        for term in terms
        if term.kind != "name" and (term.key in _STEMS or term.lower in _FORMS)
    ]
    if not accusing or count_negations(terms) % 2:
        return []
    named = bool(find_names("of " + claim)) or any(term.lower in _PERSONS for term in terms)
    return accusing if named else []


def has_accusations(words: Iterable[Term], sentence: Iterable[Term]) -> bool:
    """Return whether a sentence has all of these accusing words."""
    there = {term.key for term in sentence}
    return all(word.key in there for word in words)
