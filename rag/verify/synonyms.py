"""Words that news uses for one another, so that a paraphrase in them is still compared."""

from __future__ import annotations

from rag.nlp.analyzers import stem

# One group a line. Only words that mean the same in nearly every sentence of the news.
_GROUPS = """
call brand dub label describe term
postpone delay defer
problem issue trouble fault difficulty
cut slash reduce lower trim
scrap cancel abolish axe ditch
hike rise increase raise
fall drop decline decrease
resign quit
buy purchase acquire
begin start
need require
let allow permit
pay cover
employee worker staff
company firm business
attempt try effort bid
build construct
help aid assist
choose select pick
reject refuse
oust expel
injure wound
kill slay
film movie
child kid
big large huge
say state
reveal disclose unveil
seek request
near almost
shut close
people person
vehicle car
house home
show demonstrate
obtain get receive
fix repair
warn caution
agree accept
leader chief head boss
""".strip().splitlines()
_GROUP_OF = {stem(word): stem(group.split()[0]) for group in _GROUPS for word in group.split()}


def group_of(key: str) -> str:
    """Return the stem that synonyms share; a word without synonyms has its own."""
    return _GROUP_OF.get(key, key)
