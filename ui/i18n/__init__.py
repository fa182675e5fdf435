"""Messages in the user's language: catalogues, dates, numbers, and texts of notices.

Each language is a gettext catalogue in this folder (`en.po`, `de.po`). To add a language, add a
file.
"""

from ui.i18n.catalogues import Texts, labels, languages, preferred_language, texts_in
from ui.i18n.errors import error_text
from ui.i18n.notices import (
    answer_text,
    notices_text,
    refusal_text,
    render,
    render_all,
    statement_text,
    support_key,
    understood_text,
)

__all__ = [
    "Texts",
    "answer_text",
    "error_text",
    "labels",
    "languages",
    "notices_text",
    "preferred_language",
    "refusal_text",
    "render",
    "render_all",
    "statement_text",
    "support_key",
    "texts_in",
    "understood_text",
]
