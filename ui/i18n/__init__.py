"""Messages in the reader's language: catalogues, dates, numbers, and notices in words.

Each language is a gettext catalogue beside this module, `en.po`, `de.po`, ...; another one is
another file.
"""

from ui.i18n.catalogues import Texts, labels, languages, preferred_language, texts_in
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
