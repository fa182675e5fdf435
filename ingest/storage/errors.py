"""Errors of a storage in plain words.

The messages of clients may quote requests, and with them keys and signed addresses. So none is
passed on: an error is recognised, and at most its code is shown.
"""

from __future__ import annotations

import re

from rag.errors import BackfileError


class StorageError(BackfileError, OSError):
    """A storage failed; the message contains nothing that the storage or its client said."""


class NotFoundInStorageError(StorageError):
    """A file, folder or bucket doesn't exist."""


_CODE = re.compile(r"AWS Error ([A-Z][A-Z_]{2,60})\b")
_STATUS = re.compile(r"(?i)\bHTTP status (?:code )?(\d{3})\b")
_KNOWN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (
            r"(?i)libhdfs|libjvm|unable to load|JAVA_HOME|CLASSPATH",
            "Hadoop's client is missing: install Java and libhdfs, and set JAVA_HOME, HADOOP_HOME "
            "and CLASSPATH",
        ),
        (
            r"(?i)ACCESS_DENIED|ACCESS_KEY|SIGNATURE|CLIENT_TOKEN|UNRECOGNIZED_CLIENT|EXPIRED|"
            r"MISSING_AUTH|HTTP status (?:code )?40[13]\b|credential|unauthorized|forbidden|"
            r"permission|authenticat|could not create a OAuth2|metadata server|Base64",
            "access denied: check the credentials in the environment, and their rights",
        ),
        (
            r"(?i)HTTP status (?:code )?400\b",  # the client got no body that says why
            "the storage refused the request: check the region and the credentials in the "
            "environment",
        ),
        (
            r"(?i)NETWORK_CONNECTION|connect|resolve|timed? ?out|timeout|unreachable|curlCode|"
            r"Name or service",
            "the storage can't be reached: check the network and its address",
        ),
        (
            r"(?i)SLOW_?DOWN|THROTTL|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|"
            r"HTTP status (?:code )?(?:429|5\d\d)\b",
            "the storage is overloaded or failing: try again later",
        ),
    )
)


def plain_error(error: Exception) -> StorageError:
    """Return an error of a pyarrow file system in plain words."""
    if isinstance(error, StorageError):
        return error
    text = str(error)
    if "NO_SUCH_BUCKET" in text:
        return NotFoundInStorageError("no such bucket")
    if isinstance(error, FileNotFoundError):
        return NotFoundInStorageError("no such file or folder")
    if isinstance(error, UnicodeDecodeError):
        return StorageError("a name isn't UTF-8")
    code = next((found for found in _CODE.findall(text) if found != "UNKNOWN"), "")
    for pattern, meaning in _KNOWN:
        if pattern.search(code or text):
            return StorageError(meaning)
    status = _STATUS.search(text)
    name = code or (f"HTTP status {status[1]}" if status else type(error).__name__)
    return StorageError(f"the storage failed ({name})")
