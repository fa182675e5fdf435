"""What happens when the page is opened: it is filled, and what the browser kept comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.schema import Filters
from ui.page import kept
from ui.page.banner import banner_markup
from ui.page.session import Conversation, Desk
from ui.page.showing import Page, Shown
from ui.page.texts import texts_in, wanted_language

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.storage.status import Status

EXAMPLES = 4
MOST_CHOICES = 2000  # names in a list to choose from: a browser grows slow with more


def wire_loading(page: Page, blocks: gr.Blocks, how: dict[str, Any]) -> Any:
    """Have the page filled when it is opened; return the event."""
    on = page.on
    narrowing = on.narrowing
    lists = [narrowing.publishers, narrowing.authors, narrowing.sections, narrowing.languages]
    overview = Overview(page.archive)

    def load(desk: Desk, browser: Any, request: gr.Request) -> Shown:
        language = wanted_language(request.headers.get("accept-language", ""))
        texts = texts_in(language)
        archive = page.archive
        conversations = kept.from_browser(browser, archive, texts("lost"))
        fresh = desk.conversations if desk.turns else (Conversation(),)  # with an id of its own
        desk = replace(desk, language=language, conversations=conversations or fresh)
        seen = overview.now()
        shown: Shown = {
            on.banner: banner_markup(seen.status, texts),
            **{
                part: gr.Dropdown(choices=list(names))
                for part, names in zip(lists, seen.choices, strict=True)
            },
        }
        opened = page.desk(desk)
        opened[on.chat] = gr.Chatbot(
            opened[on.chat], examples=[{"text": text} for text in seen.examples]
        )
        return {**shown, **opened, on.link: str(request.query_params)}

    parts = [*page.desk_parts, on.banner, *lists, on.link]
    return blocks.load(load, [on.desk, on.kept], parts, **how)


@dataclass(frozen=True, slots=True)
class Seen:
    """What every visitor is shown of the archive as it stands."""

    sequence: int
    status: Status
    choices: tuple[tuple[str, ...], ...]  # in the order of the page's lists
    examples: tuple[str, ...]


class Overview:
    """What every visitor is shown of an archive, looked up once for each state of it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = Lock()
        self._seen: Seen | None = None

    def now(self) -> Seen:
        """Return what is shown of the archive as it stands now."""
        archive, sequence = self._archive, self._archive.sequence
        with self._lock:
            if self._seen is None or self._seen.sequence != sequence:
                lists = (archive.publishers, archive.authors, archive.sections, archive.languages)
                status = archive.status()
                self._seen = Seen(
                    sequence,
                    status,
                    tuple(names()[:MOST_CHOICES] for names in lists),
                    tuple(examples(archive, status)),
                )
            return self._seen


def examples(archive: Archive, status: Status, count: int = EXAMPLES) -> list[str]:
    """Return headlines to start from: the last ones of the publishers who wrote last."""
    dated = [(p.last, p.name) for p in status.publishers if p.last]
    found = []
    for last, name in nlargest(count, dated):
        newest = Filters(after=last, publishers=(name,) if name else ())
        found += [article.title or article.id for article in islice(archive.articles(newest), 1)]
    return found
