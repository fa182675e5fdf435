"""Errors of tools: `code: what failed. What to do.`; the codes stay the same between versions."""

from __future__ import annotations

from typing import Final, Literal

from mcp.server.mcpserver.exceptions import ToolError

from rag.errors import ArchiveLockedError, BackfileError, InvalidValueError, QuestionTooLongError
from ui.api.problems import ProblemError, printable

Code = Literal[
    "not_found",
    "invalid_value",
    "not_authenticated",
    "scope_missing",
    "rate_limited",
    "archive_locked",
    "unavailable",
]
_OF_STATUS: Final[dict[int, Code]] = {
    401: "not_authenticated",
    403: "scope_missing",
    404: "not_found",
    409: "archive_locked",
    422: "invalid_value",
    429: "rate_limited",
}


def tool_error(code: Code, message: str) -> ToolError:
    """Return the error of a tool."""
    return ToolError(f"{code}: {printable(message)}")


def of_backfile(error: BackfileError) -> ToolError:
    """Return the error of a tool for one of the archive's own code."""
    if isinstance(error, QuestionTooLongError | InvalidValueError):
        return tool_error("invalid_value", str(error))
    if isinstance(error, ArchiveLockedError):
        return tool_error("archive_locked", str(error))
    return tool_error("unavailable", "The archive can't be read just now. Try again later.")


def of_problem(problem: ProblemError) -> ToolError:
    """Return the error of a tool for a problem, such as a reader's rate."""
    return tool_error(_OF_STATUS.get(problem.status, "unavailable"), problem.detail)
