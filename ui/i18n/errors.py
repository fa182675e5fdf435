"""Texts of errors in the reader's language, by the code of the error."""

from __future__ import annotations

from rag.errors import BackfileError
from ui.i18n.catalogues import FALLBACK, Texts

# By the error's code. Other errors, such as those of a file's line, are shown as they are.
MESSAGES = {
    "archive_missing": "error_archive_missing",
    "archive_locked": "error_archive_locked",
    "archive_unwritable": "error_archive_unwritable",
    "archive_damaged": "error_archive_damaged",
    "index_damaged": "error_index_damaged",
    "other_model": "error_other_model",
    "model_missing": "error_model_missing",
    "chat_model_failed": "error_chat_model_failed",
    "question_too_long": "error_question_too_long",
    "saved_missing": "error_saved_missing",
    "name_taken": "error_name_taken",
    "name_length": "error_name_length",
    "text_too_long": "error_text_too_long",
    "too_many_saved": "error_too_many_saved",
    "undo_over": "error_undo_over",
    "dossier_full": "error_dossier_full",
    "not_in_archive": "error_not_in_archive",
    "filters_too_long": "error_filters_too_long",
}


def error_text(error: BackfileError, texts: Texts) -> str:
    """Return the text of an error.

    Args:
        error: The error; its own message is English and may name more of the cause.
        texts: The reader's language.
    """
    key = MESSAGES.get(error.code)
    if key is None or texts.language == FALLBACK:
        return str(error)
    values = {
        name: texts.number(value) if isinstance(value, int) else value
        for name, value in error.params.items()
    }
    return texts(key, **values)
