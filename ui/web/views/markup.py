"""Escape untrusted text for HTML, Markdown and Gradio templates."""

from __future__ import annotations

import html
import re

from rag.sanitize import neutralize_markers, single_line, strip_controls

# Written as numeric references, which HTML, Markdown, Gradio templates (`${value}`, `{{value}}`)
# and formulas ($$) all show as plain text.
_MARKUP = re.compile(r"[!-+\--:<-@\[-`{-~]")  # punctuation but , and ;
# Questions are edited and read aloud in this form, so only active characters are escaped.
_ACTIVE = re.compile(r"[<>&*_`\[\]{}$\\~|#@=+]|:(?=//)|\.(?=\S)|^[-\d]+[.)]?|!(?=\[)")


def escape(text: str) -> str:
    """Escape text for HTML, and for Markdown if it is on one line.

    Markers that look like citations are put in parentheses: see `neutralize_markers`.
    """
    return _MARKUP.sub(_escape_match, strip_controls(neutralize_markers(text)))


def escape_line(text: str) -> str:
    """Escape text and join it on one line, because an empty line ends a block in Markdown."""
    return escape(" ".join(text.split()))


def attribute(text: str) -> str:
    """Return text as the value of an attribute from which a script reads exactly this text."""
    return "".join(f"&#{ord(one)};" if not one.isalnum() else one for one in text)


def plain_line(text: str) -> str:
    """Return text on one line as Markdown, escaping active characters only."""
    return _ACTIVE.sub(lambda found: "".join(map(_escape_character, found[0])), single_line(text))


def unescape(text: str) -> str:
    """Undo the escapes of `plain_line`."""
    return html.unescape(text)


def paragraph(markup: str, name: str) -> str:
    """Return markup as a paragraph with a class and automatic text direction."""
    return f'<p class="{name}" dir="auto">{markup}</p>'


def _escape_match(found: re.Match[str]) -> str:
    return _escape_character(found[0])


def _escape_character(character: str) -> str:
    return f"&#{ord(character)};"
