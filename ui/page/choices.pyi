"""Gradio's lists to choose from, taking what a page sends that was open when its choices changed.

Gradio's own fail with a traceback on a choice that the server doesn't know: one of a page that was
open while the server started anew, or a forged one. What handles a choice looks at it itself.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

class Radio(gr.Radio):
    """One of several choices."""

    is_template = True  # for the browser it is Gradio's own

    def preprocess(self, payload: Any) -> Any:
        """Return what was chosen."""
        return payload
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class Dropdown(gr.Dropdown):
    """Some of many choices."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Return what was chosen."""
        return payload if isinstance(payload, list) else []
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

class CheckboxGroup(gr.CheckboxGroup):
    """Some of a few choices."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        """Return what was chosen."""
        return payload if isinstance(payload, list) else []
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
