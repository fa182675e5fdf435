"""A piece of HTML inside a field of a feed or an export, as text."""

from __future__ import annotations

import re

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
    for element in tree.iter("script", "style", "figcaption", "aside"):
        element.text = ""
        for child in list(element):
            element.remove(child)
    for element in tree.iter("p", "div", "br", "li", "h1", "h2", "h3", "h4", "blockquote", "tr"):
        element.tail = "\n\n" + _NO_XML.sub("", element.tail or "")
    return str(tree.text_content())
