"""What happens when the page is opened: what the browser kept comes back, a link is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.schema import Filters
from ui.page import kept
from ui.page.asking import linked
from ui.page.banner import banner_markup
from ui.page.session import Desk
from ui.page.showing import Page, Shown
from ui.page.texts import texts_in, wanted_language

if TYPE_CHECKING:
    from rag.archive import Archive

EXAMPLES = 4
MOST_CHOICES = 2000  # names in a list to choose from: a browser grows slow with more


def wire_loading(page: Page, blocks: gr.Blocks, how: dict[str, Any]) -> Any:
    """Have the page filled when it is opened; return the event, after which a link is answered."""
    on = page.on
    narrowing = on.narrowing
    lists = [narrowing.publishers, narrowing.authors, narrowing.sections, narrowing.languages]

    def load(desk: Desk, browser: Any, request: gr.Request) -> Shown:
        language = wanted_language(request.headers.get("accept-language", ""))
        texts = texts_in(language)
        archive = page.archive
        conversations = kept.from_browser(browser, archive, texts("lost"))
        desk = replace(desk, language=language, conversations=conversations or desk.conversations)
        shown: Shown = {
            on.banner: banner_markup(archive.status(), texts),
            **{
                part: gr.Dropdown(choices=list(names[:MOST_CHOICES]))
                for part, names in zip(lists, _choices(archive), strict=True)
            },
        }
        asked = linked(request.query_params.multi_items())
        if asked is None or (desk.turns and desk.turns[-1].asked == asked):
            opened = page.desk(desk)
        else:
            opened = {**page.desk(desk), **page.begun(desk.started(), asked)}
        opened[on.chat] = gr.Chatbot(
            opened[on.chat], examples=[{"text": text} for text in examples(archive)]
        )
        return {**shown, **opened}

    return blocks.load(load, [on.desk, on.kept], [*page.desk_parts, on.banner, *lists], **how)


def _choices(archive: Archive) -> list[tuple[str, ...]]:
    """Return what there is to choose from, in the order of the page's lists."""
    return [archive.publishers(), archive.authors(), archive.sections(), archive.languages()]


def examples(archive: Archive, count: int = EXAMPLES) -> list[str]:
    """Return headlines to start from: new ones, each of another publisher."""
    last = archive.status().last
    if last is None:
        return []
    by_publisher: dict[str, str] = {}
    for days in (7, 60, 730):  # a big archive has enough in a week, a small one in all its years
        since = Filters(after=last - timedelta(days=days))
        for article in islice(archive.articles(since), 500):
            by_publisher.setdefault(article.publisher, article.title or article.id)
        if len(by_publisher) >= count:
            break
    return list(by_publisher.values())[:count]
