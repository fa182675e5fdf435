"""The smallest pieces of markup: text of others, escaped so that it shows and does nothing."""

from __future__ import annotations

import html
import re

from rag.sanitize import neutralize_markers, single_line, strip_controls

# Each is written as a number, so that neither HTML, nor Markdown, nor the page's templates
# (`${value}`, `{{value}}`) or a formula ($$) see anything in an article's text but text.
_MARKUP = re.compile(r"[!-+\--:<-@\[-`{-~]")  # punctuation but , and ;
# Of a question only what would do something is escaped: it is read aloud, and edited, as written.
_ACTIVE = re.compile(r"[<>&*_`\[\]{}$\\~|#@=+]|:(?=//)|\.(?=\S)|^[-\d]+[.)]?|!(?=\[)")


def escape(text: str) -> str:
    """Return `text` as HTML, or on one line as Markdown, that shows it and nothing else.

    What looks like a citation in it stands in parentheses: see `without_markers`.
    """
    return _MARKUP.sub(_escape_match, strip_controls(neutralize_markers(text)))


def escape_line(text: str) -> str:
    """Return `text` escaped and on one line, so that a blank one ends no block of Markdown."""
    return escape(" ".join(text.split()))


def plain_line(text: str) -> str:
    """Return `text` on one line as Markdown that shows it, with as little escaped as can be."""
    return _ACTIVE.sub(lambda found: "".join(map(_escape_character, found[0])), single_line(text))


def unescape(text: str) -> str:
    """Return the text that `plain_line` was given."""
    return html.unescape(text)


def paragraph(markup: str, name: str) -> str:
    """Return `markup` as a paragraph of the class `name`, in its own direction."""
    return f'<p class="{name}" dir="auto">{markup}</p>'


def _escape_match(found: re.Match[str]) -> str:
    return _escape_character(found[0])


def _escape_character(character: str) -> str:
    return f"&#{ord(character)};"
