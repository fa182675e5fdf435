"""Event handler for loading the page: fill it in and restore the stored conversations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from ui.i18n import preferred_language, texts_in
from ui.web import browser_storage
from ui.web.components import UNQUEUED_EVENT
from ui.web.events.admin import may_save, may_write
from ui.web.events.reading import open_linked
from ui.web.events.saved import show_rail
from ui.web.state import AskRequest, Conversation, Session
from ui.web.updates import PageUpdates, Updates


def wire_load(page: PageUpdates, blocks: gr.Blocks) -> Any:
    """Register the handler for loading the page.

    Args:
        page: The page's components and their updates.
        blocks: The page.

    Returns:
        The event, for handlers that follow it.
    """
    on = page.on

    def load(session: Session, browser: Any, request: gr.Request) -> Updates:
        language = preferred_language(request.headers.get("accept-language", ""))
        texts = texts_in(language)
        conversations = browser_storage.from_browser(browser, page.archive, page.owner)
        # Not the default session's conversation, whose id all sessions share.
        fresh = session.conversations if session.turns else (Conversation(),)
        conversations = conversations or fresh
        session = replace(session, language=language, conversations=conversations, is_loaded=True)
        opened = page.show_session(session)
        asked = session.turns[-1].request if session.turns else AskRequest("")
        is_admin = may_write(request)
        return {
            **page.show_choices(session),
            **page.show_coverage(texts, may_write=is_admin, chosen=asked),
            **opened,
            **(show_rail(page, texts) if may_save(request) else {}),
            on.link: str(request.query_params),
            **open_linked(page, request.query_params, texts, request),
        }

    own_components = [on.link, on.saved_rail]
    shown = [*page.session_components, *page.coverage_components, *page.choice_components]
    parts = list(dict.fromkeys([*shown, *own_components]))  # lists of names are in two of them
    return blocks.load(load, [on.session, on.stored], parts, **UNQUEUED_EVENT)
