"""Tokens, stop words and stems, for comparing texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

TOKEN = re.compile(r"[^\W_]+(?:[.,:](?=\d)[^\W_]+|[’'&-][^\W_]+)*")

# Words without a topic, in texts and in questions.
FUNCTION_WORDS = frozenset(
    """a about after again all also am an and any anything are as at be because been before being
    between but by can could did do does down during each for from further get give had has
    have he her here hers him his how i if in into is it its just like make many may me
    might mine more most much must my no not of off on once one only or other our out over
    really same she should since so some such than that the their them then there these they
    this those to too up us very was we well were what when where which while who whom whose
    why will with would you your""".split()
)
# Words without a topic in texts only: a question may be about two weeks, or about today.
STOP_WORDS = FUNCTION_WORDS | frozenset(
    """above according across against almost along already although always amid among another
    anyone around away back became become below both came cannot come doing done either else
    even ever every few given go going gone got having herself himself however instead
    itself last later least less made making myself near need neither never next nor now
    often onto others ours own per perhaps put quite rather recent recently see seen several
    shall still take theirs themselves though through thus today together toward towards two
    under until upon use used via went whatever whether within without yet yours yourself s
    t re ve ll d m don didn doesn isn wasn aren weren won wouldn couldn shouldn hasn haven
    hadn ain week month year day weeks months years days yesterday tomorrow
    latest following""".split()
)

_ENDINGS = (
    ("izations", "ize"), ("ization", "ize"), ("ations", "ate"), ("ation", "ate"),
    ("iveness", "ive"), ("fulness", "ful"), ("ments", ""), ("ment", ""), ("nesses", ""),
    ("ness", ""), ("ities", "ity"), ("ingly", ""), ("edly", ""), ("ies", "y"), ("ied", "y"),
    ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("ings", ""), ("ing", ""),
    ("ers", ""), ("er", ""), ("ed", ""), ("ions", ""), ("ion", ""), ("ly", ""), ("es", ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text with its position and stem."""

    text: str
    start: int
    end: int
    stem: str

    @property
    def capital(self) -> bool:
        """True if the word is capitalised."""
        return self.text[0].isupper()

    @property
    def is_stop_word(self) -> bool:
        """True if the word is a stop word."""
        return self.text.lower().split("’")[0].split("'")[0] in STOP_WORDS


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a stem that inflected forms of a word share; for comparing, not for reading."""
    low = word.lower().replace("’", "'").removesuffix("'s").strip("'")
    low = _IRREGULAR.get(low, low)  # before the length check: "won" and "led" are short
    if not low.isalpha() or len(low) < 4:
        return low
    for ending, instead in _ENDINGS:
        if ending == "ly" and (len(low) < 6 or low[-3] in "biop"):
            continue  # family, supply: "families" and "supplied" end in y here
        if low.endswith(ending) and len(low) - len(ending) + len(instead) >= 3:
            low = low[: -len(ending)] + instead
            break
    else:
        if low.endswith("s") and low[-2] not in "su":
            low = low[:-1]
    if len(low) > 3 and low[-1] == low[-2] and low[-1] not in "sl":
        low = low[:-1]
    return low[:-1] if low.endswith("e") and len(low) > 3 else low


def tokenize(text: str) -> list[Word]:
    """Return the words of a text in order, including stop words."""
    return [Word(m[0], m.start(), m.end(), stem(m[0])) for m in TOKEN.finditer(text)]


def content_words(text: str) -> list[Word]:
    """Return the words of a text in order, without stop words."""
    return [word for word in tokenize(text) if not word.is_stop_word]


@lru_cache(maxsize=8192)
def stem_words(text: str) -> frozenset[str]:
    """Return the stems of the content words of a text."""
    return frozenset(word.stem for word in content_words(text))


_IRREGULAR = {
    "said": "say", "says": "say", "told": "tell", "sent": "send", "won": "win", "wins": "win",
    "winning": "win", "winner": "win", "killed": "kill", "died": "die", "dying": "die",
    "death": "die", "dead": "die", "deaths": "die", "dies": "die", "began": "begin",
    "begun": "begin", "bought": "buy", "sold": "sell", "sale": "sell", "sales": "sell",
    "chose": "choose", "chosen": "choose", "fell": "fall", "fallen": "fall", "found": "find",
    "gave": "give", "held": "hold", "kept": "keep", "knew": "know", "known": "know", "led": "lead",
    "left": "leave", "lost": "lose", "loss": "lose", "met": "meet", "paid": "pay", "ran": "run",
    "rose": "rise", "risen": "rise", "sang": "sing", "shot": "shoot", "spoke": "speak",
    "spoken": "speak", "stood": "stand", "struck": "strike", "taught": "teach", "thought": "think",
    "threw": "throw", "took": "take", "taken": "take", "wore": "wear", "worn": "wear",
    "wrote": "write", "written": "write", "broke": "break", "broken": "break", "built": "build",
    "brought": "bring", "caught": "catch", "drew": "draw", "drove": "drive", "felt": "feel",
    "fought": "fight", "flew": "fly", "flown": "fly", "grew": "grow", "grown": "grow",
    "hid": "hide", "hidden": "hide", "men": "man", "women": "woman", "children": "child",
    "people": "person", "stole": "steal", "stolen": "steal", "beat": "beat", "beaten": "beat",
    "resignation": "resign", "decision": "decide", "signing": "sign", "signed": "sign",
    "arrival": "arrive", "growth": "grow", "height": "high", "elected": "elect",
    "married": "marry", "marriage": "marry", "wedding": "marry", "wed": "marry",
}  # fmt: skip
