"""Places for HTML on the page."""

from __future__ import annotations

import gradio as gr

from ui.web.asset_files import read_asset


def html_place(name: str, script: str | None = None) -> gr.HTML:
    """Return a place for HTML, without Gradio's own styles.

    Args:
        name: Id of the element.
        script: Script that turns clicks into the component's events.
    """
    return gr.HTML(elem_id=name, elem_classes="bf-html", js_on_load=script, apply_default_css=False)


def pieces_place(name: str, script: str) -> gr.HTML:
    """Return a place whose value is a list of elements, each a list of pieces of HTML.

    Gradio sends only the pieces that have changed, and `pieces.js` changes only them on the page.
    Gradio itself would compare attributes with the page, and so close what a reader has opened.

    Args:
        name: Id of the element.
        script: Script that turns clicks into the component's events.
    """
    return gr.HTML(
        elem_id=name,
        elem_classes="bf-html",
        html_template="",
        js_on_load=f"{read_asset('pieces.js')}\n{script}",
        apply_default_css=False,
    )
