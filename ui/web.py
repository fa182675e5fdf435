"""The page where one asks the archive: the chat at the left, what it rests on at the right."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import gradio as gr  # 2.5 s: only `backfile serve` imports this module
from gradio import events

from rag.errors import BackfileError
from rag.schema import Answer, Filters
from rag.settings import Settings
from ui import cards, opening, render
from ui.style import CSS, theme

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.chatbot import Chatbot

Turn = tuple[str, Answer]

QUOTING_AT_ONCE = 2  # questions answered at a time: each keeps every core busy
WRITING_AT_ONCE = 8  # with a chat model, most of the time is spent waiting for it
WAITING = 64  # questions that may wait; who comes later is told that it is full
LONGEST_QUESTION = 1000
REMEMBERED = 6  # turns that a follow-up question may refer to
KEPT_SECONDS = 6 * 60 * 60  # a conversation on the server, after its last question
REDRAW_SECONDS = 0.1  # a chat model writes faster than a browser should redraw


def serve(settings: Settings) -> None:
    """Open the page on the archive of `settings` and keep it open until interrupted."""
    with opening.open_chatbot(settings) as (archive, chatbot):
        # So many tokens load torch now: no question waits for it, and each is embedded faster.
        archive.embed(["warm " * 200] * 50)
        page = build_page(archive, chatbot)
        _, address, _ = launch(page, settings)
        print(f"Backfile is at {address} (Ctrl-C ends it)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            page.close(verbose=False)  # Ctrl-C is how it is meant to end


def launch(page: gr.Blocks, settings: Settings) -> tuple[Any, str, str]:
    """Start serving `page`, on this machine alone unless the settings say otherwise."""
    try:
        return page.launch(
            server_name=settings.host,
            server_port=settings.port or None,
            theme=theme(),
            css=CSS,
            share=False,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            footer_links=[],
            max_file_size="1kb",  # the page takes no files, but Gradio's upload route is there
            show_error=False,
            prevent_thread_lock=True,
            quiet=True,
        )
    except OSError as error:
        raise BackfileError(
            f"cannot listen on {settings.host}:{settings.port}: choose another with --port"
        ) from error


def build_page(archive: Archive, chatbot: Chatbot) -> gr.Blocks:
    """Return the page; nothing of a conversation is kept outside its own session."""
    at_once = WRITING_AT_ONCE if chatbot.chat_model else QUOTING_AT_ONCE
    page = gr.Blocks(title="Backfile", analytics_enabled=False, fill_width=True)
    with page:
        banner = gr.HTML(elem_id="bf-banner")
        turns = gr.State((), time_to_live=KEPT_SECONDS)
        with gr.Row(elem_id="bf-desk"):
            with gr.Column(scale=5, min_width=320, elem_id="bf-asking"):
                conversation = gr.Chatbot(
                    elem_id="bf-conversation",
                    show_label=False,
                    container=False,
                    height="100%",
                    layout="panel",
                    placeholder=_placeholder(),
                    examples=[{"text": text} for text in examples(archive)],
                    buttons=[],
                    feedback_options=None,
                    allow_tags=False,
                    sanitize_html=True,
                    latex_delimiters=[],
                    allow_file_downloads=False,
                    group_consecutive_messages=False,
                )
                question = gr.Textbox(
                    elem_id="bf-question",
                    label="Question",
                    show_label=False,
                    placeholder="Ask the archive",
                    max_length=LONGEST_QUESTION,
                    submit_btn="Ask",
                    autofocus=True,
                    lines=1,
                    max_lines=4,
                )
            with gr.Column(scale=4, min_width=320, elem_id="bf-reading"):
                evidence = gr.HTML(cards.evidence_markup([]), elem_id="bf-evidence")

        def show_banner() -> str:
            return cards.banner_markup(archive.status())

        def answer(asked: str, before: tuple[Turn, ...]) -> Iterator[Any]:
            for now in conversations(chatbot, asked, before):
                yield (
                    "",
                    messages(now),
                    cards.evidence_markup([a for _, a in now]),
                    now,
                )

        def answer_example(picked: gr.SelectData, before: tuple[Turn, ...]) -> Iterator[Any]:
            yield from answer(picked.value["text"], before)

        shown = [question, conversation, evidence, turns]
        limits: dict[str, Any] = {
            "api_visibility": "private",
            "concurrency_limit": at_once,
            "concurrency_id": "asking",
            "show_progress": "hidden",
        }
        conversation.clear(
            lambda: (cards.evidence_markup([]), ()),
            outputs=[evidence, turns],
            api_visibility="private",
            show_progress="hidden",
        )
        page.load(show_banner, outputs=banner, api_visibility="private", show_progress="hidden")
        question.submit(answer, [question, turns], shown, **limits)
        conversation.example_select(answer_example, [turns], shown, **limits)
        _add_endpoints(archive, chatbot, at_once)
    page.queue(max_size=WAITING, default_concurrency_limit=at_once)
    return page


def conversations(
    chatbot: Chatbot, asked: str, before: tuple[Turn, ...]
) -> Iterator[tuple[Turn, ...]]:
    """Yield the conversation as it grows by the answer to `asked`; unchanged for no question."""
    asked = asked.strip()[:LONGEST_QUESTION]
    if not asked:
        yield before
        return
    yield (*before, (asked, Answer(asked, notice="Searching the archive …")))
    answer = None
    drawn = 0.0
    try:
        for answer in chatbot.stream(asked, history=before[-REMEMBERED:]):
            if time.monotonic() - drawn >= REDRAW_SECONDS:
                drawn = time.monotonic()
                yield (*before, (asked, answer))
    except BackfileError as error:
        answer = Answer(asked, refused=True, reason=str(error))
    if answer is not None:
        yield (*before, (asked, answer))


def messages(turns: tuple[Turn, ...]) -> list[dict[str, str]]:
    """Return the conversation for Gradio's chat, every word of it escaped."""
    said = []
    for number, (asked, answer) in enumerate(turns, start=1):
        said.append({"role": "user", "content": cards.escaped_line(asked)})
        said.append({"role": "assistant", "content": cards.answer_markup(answer, turn=number)})
    return said


def examples(archive: Archive, count: int = 4) -> list[str]:
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


def _placeholder() -> str:
    return (
        "<h2>Ask the archive</h2>"
        "<p>Every sentence of an answer names the passage it rests on. "
        "If the archive does not say, the answer is that it does not say.</p>"
    )


def _add_endpoints(archive: Archive, chatbot: Chatbot, at_once: int) -> None:
    """Name the two endpoints that are meant for programs; everything else is private."""

    def ask(question: str, k: int = 8) -> dict[str, Any]:
        """Answer a question from the archive, with citations."""
        return render.answer_value(chatbot.ask(question[:LONGEST_QUESTION], k=_bounded(k)))

    def search(question: str, k: int = 10) -> list[dict[str, Any]]:
        """Return the passages that answer a question best, best first."""
        hits = archive.search(question[:LONGEST_QUESTION], _bounded(k))
        return [render.hit_value(hit) for hit in hits]

    for function in (ask, search):
        events.api(
            function,
            api_name=function.__name__,
            concurrency_limit=at_once,
            concurrency_id="asking",
        )


def _bounded(k: int) -> int:
    return max(1, min(int(k), 100))
