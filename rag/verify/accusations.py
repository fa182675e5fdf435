"""Accusations of people, which need exact evidence."""

from __future__ import annotations

from collections.abc import Iterable

from rag.nlp.entities import find_names
from rag.verify.operators import count_negations
from rag.verify.terms import Term, split_terms

# Words that accuse the person they are said of, and those of what follows from an accusation.
_WORDS = """
    charge indict arrest detain jail imprison convict sentence prosecute plead guilty
    crime criminal felon fraud fraudster defraud embezzle launder bribe bribery corrupt corruption
    kickback lie liar lied mislead misled perjury forge forgery fake falsify steal stole stolen
    theft thief rob robbery extort blackmail abuse abuser assault assail rape rapist molest grope
    harass harassment kill killer murder murderer manslaughter shoot stab strangle poison torture
    traffic smuggle kidnap racist racism antisemitic sexist cheat doping plagiarise plagiarize
    plagiarism insider terrorist terrorism spy espionage treason traitor incite hate scam swindle
    swindler conspire conspiracy collude collusion cover-up drunk addict negligent malpractice
    unlawful illegal illegally misconduct betray evade pedophile paedophile predator
""".split()
_STEMS = frozenset(term.key for word in _WORDS for term in split_terms(word))
_PERSONS = frozenset(
    """he she they who him her them his their man woman boy girl mother father son daughter wife
    husband minister president mayor senator governor director executive chief officer leader
    boss coach player actor singer teacher priest doctor judge lawyer police politician suspect
    treasurer""".split()
)


def accusations(claim: str) -> list[Term]:
    """Return the words of a claim that accuse a person; none if it negates them or names nobody."""
    terms = split_terms(claim)
    accusing = [term for term in terms if term.kind != "name" and term.key in _STEMS]
    if not accusing or count_negations(terms) % 2:
        return []
    named = bool(find_names("of " + claim)) or any(term.lower in _PERSONS for term in terms)
    return accusing if named else []


def has_accusations(words: Iterable[Term], sentence: Iterable[Term]) -> bool:
    """Return whether a sentence has all of these accusing words."""
    there = {term.key for term in sentence}
    return all(word.key in there for word in words)
