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
    "record_unavailable": "error_record_unavailable",
    "index_damaged": "error_index_damaged",
    "vector_server": "error_vector_server",
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
    "login_other_browser": "error_login_other_browser",
    "login_other_provider": "error_login_other_provider",
    "login_refused": "error_login_refused",
    "login_bad_answer": "error_login_bad_answer",
    "login_no_group": "error_login_no_group",
    "login_bad_name": "error_login_bad_name",
    "login_other_server": "error_login_other_server",
    "login_no_answer": "error_login_no_answer",
    "login_wrong_provider": "error_login_wrong_provider",
    "user_disabled": "error_user_disabled",
    "user_name_taken": "error_user_name_taken",
    "remote_address": "error_remote_address",
    "remote_other_server": "error_remote_other_server",
    "remote_unreachable": "error_remote_unreachable",
    "remote_refused": "error_remote_refused",
    "remote_stopped": "error_remote_stopped",
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
