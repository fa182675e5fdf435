"""A piece of HTML inside a field of a feed or an export, as text."""

from __future__ import annotations

import re

from ingest.readers.block_text import read_blocks

_LEFT_OUT = frozenset("script style figcaption aside template head".split())
# What XML's characters leave out; lxml takes them from a numeric reference, but not back.
_NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]*>?")  # the last one may not end


def text_of_fragment(markup: str) -> str:
    """Return the text of a piece of HTML, a paragraph for each block."""
    from lxml import etree, html

    try:
        tree = html.fragment_fromstring(_NO_XML.sub("", markup), create_parent="div")
    except (etree.LxmlError, ValueError, AssertionError):  # "Document is empty", of "<!DOCTYPE"
        return _TAG.sub(" ", markup)
    return _NO_XML.sub("", "\n\n".join(read_blocks(tree, _LEFT_OUT)))
