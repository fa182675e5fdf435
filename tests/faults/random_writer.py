"""A writer that changes an archive at random, and the state that its log demands.

Each action is logged before it begins and after it ends: a writer that is killed in between has
done it completely or not at all.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.archive.archive import Archive, Mode
from rag.archive.doctor import find_problems
from rag.errors import BackfileError
from rag.schema import Article, Span
from rag.settings import Settings
from tests.support.fakes import WordEmbeddings

ARTICLES = 40  # few enough that most are changed, deleted and added again many times
LOG = "deeds.log"  # beside the archive

Action = dict[str, Any]
NOTHING: Action = {"do": "add", "ids": [], "version": 0}


@dataclass(frozen=True)
class State:
    """Expected contents: each article's version, and withdrawn articles with their last version."""

    current: dict[str, int] = field(default_factory=dict)
    withdrawn: dict[str, int | None] = field(default_factory=dict)
    seen: dict[str, frozenset[int]] = field(default_factory=dict)

    def after(self, deed: Action) -> State:
        """Return the state after an action."""
        current, withdrawn, seen = dict(self.current), dict(self.withdrawn), dict(self.seen)
        for key in deed["ids"]:
            if deed["do"] == "add" and key not in withdrawn:
                if key not in current or deed["version"] not in seen.get(key, ()):
                    current[key] = deed["version"]
                    seen[key] = seen.get(key, frozenset()) | {deed["version"]}
            elif deed["do"] == "delete":
                current.pop(key, None)
            elif deed["do"] in ("withdraw", "erase"):
                stood = current.pop(key, withdrawn.get(key))
                withdrawn[key] = None if deed["do"] == "erase" else stood
                if deed["do"] == "erase":
                    seen.pop(key, None)
            elif deed["do"] == "reinstate" and key in withdrawn:
                stood = withdrawn.pop(key)
                if stood is not None:
                    current[key] = stood
        return State(current, withdrawn, seen)


def article(key: str, version: int) -> tuple[Article, list[Span]]:
    """Return a version of an article, in two passages, the first of them the same in each."""
    first = f"Mayor {key} of town {key} spoke."
    text = f"{first} Version {version} of bridge {key} stands."
    spans = [Span(0, len(first)), Span(len(first) + 1, len(text))]
    return Article(id=key, title=f"Town {key}", text=text), spans


def random_action(chance: random.Random, version: int) -> Action:
    """Return an action: mostly an addition, sometimes a removal."""
    kinds = ["add"] * 12 + ["delete"] * 3 + ["withdraw"] * 2 + ["reinstate"] * 3 + ["erase"]
    what = chance.choice([*kinds, "reembed"])
    if what == "reembed":
        return {**NOTHING, "do": what, "version": version}
    many = chance.randint(1, 12) if what == "add" else chance.randint(1, 3)
    ids = sorted(f"paper.example/{n}" for n in chance.sample(range(ARTICLES), many))
    return {"do": what, "ids": ids, "version": version}


def perform(archive: Archive, deed: Action) -> None:
    """Perform an action."""
    ids: Sequence[str] = deed["ids"]
    if deed["do"] == "add":
        archive.add(article(key, deed["version"]) for key in ids)
    elif deed["do"] == "reembed":
        archive.reembed(WordEmbeddings())
    else:
        getattr(archive, deed["do"])(ids)


def open_archive(folder: Path, mode: Mode, record: str = "") -> Archive:
    """Open the archive, whose record may be on a server."""
    settings = Settings(record=record)
    return Archive.open(folder, mode=mode, embeddings=WordEmbeddings(), settings=settings, wait=30)


def work(folder: Path, seed: int, record: str = "") -> None:
    """Perform actions until the process is killed."""
    chance = random.Random(seed)
    with open_archive(folder, "write", record) as archive:
        version = len(read_actions(folder))
        with (folder.parent / LOG).open("a") as log:
            while True:
                version += 1
                deed = random_action(chance, version)
                print(json.dumps({"begun": deed}), file=log, flush=True)
                perform(archive, deed)
                print(json.dumps({"done": deed}), file=log, flush=True)


def read_actions(folder: Path) -> list[tuple[Action, bool]]:
    """Return the log: each action that began, and whether it ended."""
    found: list[tuple[Action, bool]] = []
    with suppress(FileNotFoundError):
        for line in (folder.parent / LOG).read_text().splitlines():
            entry = json.loads(line)
            if "begun" in entry:
                found.append((entry["begun"], False))
            else:
                found[-1] = (entry["done"], True)
    return found


def check_archive(folder: Path, record: str = "") -> str:
    """Open the archive as the next writer would, and return what is wrong with it.

    The last action may have been done or not; the log then says which.
    """
    try:
        with open_archive(folder, "write", record) as archive:
            wrong = [str(problem) for problem in find_problems(archive)]
            held = {a.id: int(a.text.split("Version ")[1].split()[0]) for a in archive.articles()}
            down = set(archive.withdrawals(f"paper.example/{n}" for n in range(ARTICLES)))
            twice = archive.count().articles - len(held)
        with open_archive(folder, "read", record) as archive:  # and as it was left
            wrong += [str(problem) for problem in find_problems(archive)]
    except BackfileError as error:
        return f"does not open: {error}"
    *before, last = read_actions(folder) or [(NOTHING, True)]
    state = State()
    for deed, done in before:
        state = state.after(deed) if done else state
    matching = [
        (deed_done, there)
        for deed_done, there in ((True, state.after(last[0])), (False, state))
        if (there.current, set(there.withdrawn)) == (held, down) and (deed_done or not last[1])
    ]
    if not matching:
        wrong.append(f"holds {held}, {down} withdrawn, and not {state.after(last[0])}")
    elif not last[1]:
        with (folder.parent / LOG).open("a") as log:
            print(json.dumps({"done": last[0] if matching[0][0] else NOTHING}), file=log)
    return "; ".join([*wrong, *(["an article is there twice"] if twice else [])])
