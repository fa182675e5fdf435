"""Mapping functions for worker processes of tests: some articles end their process."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

from ingest.preparing import Outcome, prepare_drafts
from rag.archive.preparation import Draft
from rag.settings import Settings

DEADLY = "The deadly word is quicksand."
CRASH_ONCE = "The file of this crash is "  # with the path of a file that says it has happened


def prepare_or_die(settings: Settings, drafts: Sequence[Draft]) -> list[Outcome]:
    """Prepare drafts as `prepare_drafts` does; a deadly text ends the process, as a crash does."""
    text = " ".join(draft.article.text for draft in drafts)
    if DEADLY in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if CRASH_ONCE in text:
        happened = Path(text.partition(CRASH_ONCE)[2].partition(" ")[0])
        if not happened.exists():
            happened.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    return prepare_drafts(settings, drafts)
