"""What the page's components are called, in every language at once: the browser takes its own."""

from __future__ import annotations

import gradio as gr

from ui.i18n import labels, languages

# Of Gradio's own: it puts the text in the browser's language where one of these is a label.
i18n = gr.I18n(**{language: labels(language) for language in languages()})
