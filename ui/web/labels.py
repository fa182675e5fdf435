"""Labels of components in every language; Gradio shows those of the browser's language."""

from __future__ import annotations

import gradio as gr

from ui.i18n import labels, languages

# Returns placeholders, which Gradio replaces in the browser.
i18n = gr.I18n(**{language: labels(language) for language in languages()})
