"""The operator: who runs commands on the archive's machine, for the audit log."""

from __future__ import annotations

import getpass
import os
from contextlib import suppress
from dataclasses import replace
from typing import Any

from rag.settings import Settings
from ui.accounts.audit import Action, AuditLog
from ui.readers import LOCAL_ADMINISTRATOR, Reader


def operator() -> Reader:
    """Return the operator, with the name of their account on this machine."""
    name = ""
    with suppress(OSError, KeyError, ImportError):  # a container may have no such account
        name = getpass.getuser()
    return replace(LOCAL_ADMINISTRATOR, name=name)


def record_command(settings: Settings, action: Action, **details: Any) -> None:
    """Append what a command did to the audit log, unless the archive is read-only."""
    if os.access(settings.archive, os.W_OK):
        AuditLog.of(settings).record(operator(), action, by="command", **details)
