"""Fates of people whom the news counts: the dead are not the missing, nor the injured."""

from __future__ import annotations

from rag.nlp.analyzers import stem

# Stems of the words for what happened to somebody, by fate.
FATES = {
    fate: frozenset(stem(word) for word in words.split())
    for fate, words in {
        "dead": "die died dies dying dead death deaths kill killed kills killing toll fatal "
        "fatality fatalities casualties perished drowned murdered slain",
        "hurt": "injure injured injuring injuries injury wound wounded wounding hurt hospitalized "
        "hospitalised",
        "missing": "missing unaccounted disappeared",
        "held": "arrest arrested arrests detain detained charged jailed",
        "away": "evacuate evacuated evacuation evacuations displaced homeless flee fled",
        "safe": "rescue rescued saved survived survivor survivors",
    }.items()
}
