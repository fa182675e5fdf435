"""Layout of the page: Gradio components, without their events."""

from __future__ import annotations

import gradio as gr

from rag.query.parser import LONGEST_QUESTION
from ui.i18n import languages, texts_in
from ui.web.components import (
    CITED,
    NOT_CITED,
    AdminControls,
    Components,
    ExportControls,
    FeedbackForm,
    FilterControls,
    HistogramControls,
)
from ui.web.events.admin import lay_out_ingest, lay_out_withdrawal
from ui.web.labels import i18n
from ui.web.state import Session

SESSION_SECONDS = 6 * 60 * 60  # lifetime of a session on the server after its last event

# A click on an element with `data-card` triggers `open` with its numbers.
CARDS_JS = """
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-card]');
  if (pressed) trigger('open', {turn: +pressed.dataset.turn, card: +pressed.dataset.card,
                                revision: +pressed.dataset.revision || 0});
});
"""
# `page.js` finds the clicked bar and sends `bf-pick`; Gradio itself handles dragging.
PLOT_JS = """
element.addEventListener('bf-pick', (event) => trigger('pick', event.detail));
"""
# Focuses the headline of an opened article and scrolls to its quotation. Retries for some frames,
# because the column is shown after its content is updated.
ARTICLE_JS = """
const go = (frames) => {
  if (!element.offsetParent) return frames && requestAnimationFrame(() => go(frames - 1));
  element.querySelector('h2')?.focus({preventScroll: true});
  element.querySelector('mark, .bf-place')?.scrollIntoView({block: 'center'});
};
go(600);
watch('value', () => go(600));
"""


def build_layout(storage_key: str) -> Components:
    """Create all components, inside the Blocks that is open.

    Args:
        storage_key: Key of the conversations in the browser's storage, different for each archive.

    Returns:
        The components.
    """
    session = gr.State(Session(), time_to_live=SESSION_SECONDS)
    # The secret is public, as part of the page. The key separates the archives.
    stored = gr.BrowserState(None, storage_key=storage_key, secret="backfile")
    # The query string of the page's URL; its question is asked when this changes.
    link = gr.Textbox("", visible="hidden")
    opened = gr.State("", time_to_live=SESSION_SECONDS)  # id of the open article
    with gr.Sidebar(open=False, elem_id="bf-sidebar", width=320):
        conversations, start, delete = _conversation_controls()
        ingest = lay_out_ingest()
    banner = gr.HTML(elem_id="bf-banner")
    with gr.Row(elem_id="bf-desk"):
        with gr.Column(scale=5, min_width=320, elem_id="bf-asking"):
            chat = _chat_window()
            understood = gr.CheckboxGroup(
                label=i18n("understood"), visible=False, elem_id="bf-understood", container=False
            )
            feedback = _feedback_form()
            question, mode = _question_controls()
            order, filters = _filter_controls()
            export = _export_controls()
        with gr.Column(scale=4, min_width=320, elem_id="bf-reading"):
            withdrawal = lay_out_withdrawal(SESSION_SECONDS)
            with gr.Column(elem_id="bf-cards") as cards:
                histogram = _histogram_controls()
                evidence = gr.HTML(elem_id="bf-evidence", js_on_load=CARDS_JS)
            with gr.Column(visible=False, elem_id="bf-reader") as reader:
                with gr.Row():
                    close = gr.Button(i18n("back_to_sources"), size="sm", elem_id="bf-close")
                    withdraw_this = gr.Button(
                        i18n("withdraw_this"), size="sm", elem_id="bf-remove-this", visible=False
                    )
                article = gr.HTML(elem_id="bf-article", js_on_load=CARDS_JS + ARTICLE_JS)
    return Components(
        session=session,
        stored=stored,
        link=link,
        banner=banner,
        chat=chat,
        understood=understood,
        mode=mode,
        order=order,
        question=question,
        filters=filters,
        feedback=feedback,
        export=export,
        histogram=histogram,
        evidence=evidence,
        cards=cards,
        article=article,
        reader=reader,
        close=close,
        conversations=conversations,
        start=start,
        delete=delete,
        opened=opened,
        admin=AdminControls(ingest, withdrawal, withdraw_this),
    )


def _conversation_controls() -> tuple[gr.Radio, gr.Button, gr.Button]:
    start = gr.Button(i18n("new_conversation"), size="sm", elem_id="bf-new")
    conversations = gr.Radio(
        label=i18n("conversations"),
        info=i18n("stored_locally"),
        choices=[],
        elem_id="bf-conversations",
        container=False,
    )
    delete = gr.Button(i18n("delete_conversation"), size="sm", elem_id="bf-delete")
    return conversations, start, delete


def _chat_window() -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="bf-chat",
        label=i18n("chat"),
        show_label=False,
        container=False,
        height="100%",
        layout="panel",
        placeholder=str(i18n("welcome")),
        buttons=[],
        editable="user",
        feedback_options=("Like", "Dislike"),
        allow_tags=False,
        sanitize_html=True,
        latex_delimiters=[],
        allow_file_downloads=False,
        group_consecutive_messages=False,
    )


def _feedback_form() -> FeedbackForm:
    thumb = gr.State(None, time_to_live=SESSION_SECONDS)
    with gr.Group(visible=False, elem_id="bf-opinion") as block:
        reason = gr.Textbox(
            label=i18n("feedback_reason"),
            submit_btn=str(i18n("send")),
            max_length=2000,
            max_lines=3,
        )
    return FeedbackForm(block, thumb, reason)


def _histogram_controls() -> HistogramControls:
    with gr.Accordion(i18n("over_time"), open=True, visible=False, elem_id="bf-time") as block:
        note = gr.HTML(elem_id="bf-spoken", js_on_load=PLOT_JS)
        plot = gr.BarPlot(
            x="day",
            y="articles",
            color="kind",
            color_map={
                texts_in(language)(key): colour
                for language in languages()
                for key, colour in (("cited", CITED), ("not_cited", NOT_CITED))
            },
            colors_in_legend=[],  # the note above the plot has the legend
            x_title=" ",
            height=150,
            elem_id="bf-plot",
            container=False,
        )
        busiest = gr.Radio(choices=[], label=i18n("busiest"), container=False, elem_id="bf-busiest")
    return HistogramControls(block, note, plot, busiest)


def _export_controls() -> ExportControls:
    with gr.Accordion(i18n("export"), open=False, elem_id="bf-take"):
        which = gr.Radio(
            [(i18n(f"which_{which}"), which) for which in ("answer", "conversation")],
            value="answer",
            label=i18n("which"),
            show_label=False,
            container=False,
            elem_id="bf-which",
        )
        with gr.Row():
            copy = gr.Button(i18n("copy"), size="sm", min_width=90)
            link = gr.Button(i18n("copy_link"), size="sm", min_width=90)
            files = {
                form: gr.Button(name, size="sm", min_width=90)
                for form, name in (
                    ("markdown", "Markdown"),
                    ("html", "HTML"),
                    ("ris", "RIS"),
                    ("csl", "CSL-JSON"),
                )
            }
        payload = gr.JSON(visible="hidden")
    return ExportControls(which, copy, link, files, payload)


def _question_controls() -> tuple[gr.Textbox, gr.Radio]:
    question = gr.Textbox(
        elem_id="bf-question",
        label=i18n("ask_label"),
        show_label=False,
        placeholder=i18n("ask_placeholder"),
        max_length=LONGEST_QUESTION,
        submit_btn=str(i18n("ask")),
        autofocus=True,
        lines=1,
        max_lines=4,
    )
    mode = gr.Radio(
        [(i18n(f"mode_{mode}"), mode) for mode in ("answer", "timeline", "passages")],
        value="answer",
        label=i18n("mode"),
        show_label=False,
        container=False,
        elem_id="bf-mode",
    )
    return question, mode


def _filter_controls() -> tuple[gr.Radio, FilterControls]:
    with gr.Accordion(i18n("filters"), open=False, elem_id="bf-narrow"):
        with gr.Row():
            after, before, asked_on = (
                gr.Textbox(
                    label=i18n(name), placeholder=i18n("date_format"), max_length=40, min_width=120
                )
                for name in ("after", "before", "asked_on")
            )
        with gr.Row():
            publishers, authors, sections, languages = (
                gr.Dropdown(label=i18n(name), multiselect=True, choices=[], min_width=140)
                for name in ("publishers", "authors", "sections", "languages")
            )
        with gr.Row():
            order = gr.Radio(
                [(i18n(f"order_{order}"), order) for order in ("relevance", "date")],
                value="relevance",
                label=i18n("order"),
                elem_id="bf-order",
                min_width=200,
            )
            clear = gr.Button(i18n("clear_filters"), size="sm", min_width=100, elem_id="bf-widen")
    return order, FilterControls(
        after, before, asked_on, publishers, authors, sections, languages, clear
    )
