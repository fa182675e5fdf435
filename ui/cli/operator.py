"""The operator: who runs commands on the archive's machine, for the audit log."""

from __future__ import annotations

import getpass
import os
from contextlib import suppress
from dataclasses import replace
from typing import Any

from rag.settings import Settings
from ui.accounts.audit import OFF, Action, AuditLog
from ui.readers import LOCAL_ADMINISTRATOR, Reader


def operator() -> Reader:
    """Return the operator, with the name of their account on this machine."""
    name = ""
    with suppress(OSError, KeyError, ImportError):  # a container may have no such account
        name = getpass.getuser()
    return replace(LOCAL_ADMINISTRATOR, name=name)


def record_command(settings: Settings, action: Action, **details: Any) -> None:
    """Append what a command did to the audit log, unless the archive is read-only."""
    audit_log(settings).record(operator(), action, via="command", **details)


def audit_log(settings: Settings) -> AuditLog:
    """Return the audit log of an archive; one that is off if the archive is read-only."""
    return AuditLog.of(settings) if os.access(settings.archive, os.W_OK) else OFF
