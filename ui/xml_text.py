"""Text for XML 1.0 documents: escaped, and without characters that XML can't contain."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr  # nosec B406 # writes XML, reads none

from rag.sanitize import strip_controls

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Return a text escaped for the content of an element."""
    return escape(_legal(text))


def xml_attribute(text: str) -> str:
    """Return a text as the quoted value of an attribute."""
    return quoteattr(_legal(text))


def _legal(text: str) -> str:
    return _NOT_IN_XML.sub("", strip_controls(text))
