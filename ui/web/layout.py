"""Layout of the page: Gradio components, without their events."""

from __future__ import annotations

import gradio as gr

from rag.query.parser import LONGEST_QUESTION
from ui.web.ask_request import PRESETS
from ui.web.asset_files import read_asset
from ui.web.components import AdminControls, Components, FeedbackForm, FilterControls
from ui.web.events.admin import lay_out_withdrawal
from ui.web.events.archive import lay_out_archive
from ui.web.events.browse import lay_out_browse
from ui.web.events.check import lay_out_check
from ui.web.events.saved import SAVED_JS, lay_out_saved
from ui.web.labels import i18n
from ui.web.places import html_place, pieces_place
from ui.web.state import MODES, Session

SESSION_SECONDS = 6 * 60 * 60  # lifetime of a session on the server after its last event

# Each of these turns a click on an element with `data-do` or `data-card` into an event of the
# component. `page.js` has what needs no server.
CARDS_JS = """
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-card]');
  if (pressed?.dataset.do === 'collect') {
    trigger('collect', {turn: +pressed.dataset.turn, card: +pressed.dataset.card});
  } else if (pressed) trigger('open', {turn: +pressed.dataset.turn, card: +pressed.dataset.card});
});
"""
# `reading.js` opens the articles of the list.
SIMILAR_JS = """
watch('value', () => requestAnimationFrame(() => element.querySelector('h3')?.focus()));
"""
# `page.js` shows a view; its contents are asked for when it is opened.
VIEWS_JS = """
element.addEventListener('bf-view', (event) => {
  if (event.detail.view === 'browse') trigger('browse', {query: event.detail.query});
  if (event.detail.view === 'check') trigger('check');
  if (event.detail.view === 'archive') trigger('archive');
  if (event.detail.view === 'saved') trigger('saved');
});
"""
THREAD_JS = """
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do]');
  if (!pressed) return;
  const turn = +pressed.closest('[data-turn]')?.dataset.turn || 0;
  const {do: name, liked, version, form, question, mode} = pressed.dataset;
  if (name === 'vote') trigger('vote', {turn, liked: liked === 'true'});
  else if (name === 'version') trigger('version', {turn, version: +version});
  else if (name === 'save') {
    const whole = pressed.closest('ul').querySelector('input')?.checked;
    trigger('save', {turn: whole ? 0 : turn, form});
  }
  else if (name === 'suggested') trigger('suggested', {question, mode});
  else if (['copy', 'link', 'again', 'widen', 'keep'].includes(name)) trigger(name, {turn});
});
"""
CONVERSATIONS_JS = """
const act = (pressed, more) => trigger('act', {
  action: pressed.dataset.do,
  id: pressed.closest('[data-conversation]')?.dataset.conversation ?? '',
  ...more,
});
// The list is replaced after each action; the focus goes where the action went.
let focus = '';
watch('value', () => {
  if (focus) requestAnimationFrame(() => { element.querySelector(focus)?.focus(); focus = ''; });
});
const NEXT = {delete: '.bf-undo button', undo: '[data-do="open"][aria-current]'};
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do]');
  if (!pressed) return;
  if (pressed.dataset.do !== 'rename') {
    focus = NEXT[pressed.dataset.do] ?? '';
    return act(pressed);
  }
  const item = pressed.closest('li[data-conversation]');
  const field = document.createElement('input');
  field.value = item.dataset.name;
  field.maxLength = 120;
  field.setAttribute('aria-label', pressed.textContent);
  const open = item.querySelector('[data-do="open"]');
  let ended = false;
  const end = (name) => {
    if (ended) return;
    ended = true;
    field.replaceWith(open);
    if (name !== item.dataset.name) act(pressed, {name});
  };
  field.addEventListener('blur', () => end(field.value.trim()));
  field.addEventListener('keydown', (key) => {
    if (key.key !== 'Enter' && key.key !== 'Escape') return;
    key.stopPropagation();
    focus = `[data-conversation="${item.dataset.conversation}"] [data-do="open"]`;
    end(key.key === 'Enter' ? field.value.trim() : item.dataset.name);
    open.focus();
  });
  open.replaceWith(field);
  item.querySelector('details').open = false;
  field.focus();
  field.select();
});
"""
# A click on a bar or a drag over several sends their days.
CHART_JS = """
let from = null;
const bars = () => [...element.querySelectorAll('.bf-bars > *')];
const place = (event) => {
  const under = document.elementFromPoint(event.clientX, event.clientY);
  return bars().indexOf(under?.closest('.bf-bars > *'));
};
const mark = (low, high) => bars().forEach(
  (bar, at) => bar.classList.toggle('bf-marked', at >= low && at <= high));
element.addEventListener('pointerdown', (event) => {
  from = event.target.closest('.bf-bars') ? place(event) : null;
});
element.addEventListener('pointermove', (event) => {
  const to = place(event);
  if (from !== null && from >= 0 && to >= 0 && to !== from) {
    mark(Math.min(from, to), Math.max(from, to));
  }
});
element.addEventListener('pointerup', (event) => {
  const to = place(event);
  if (from === null || from < 0 || to < 0 || to === from) return;
  const [low, high] = [Math.min(from, to), Math.max(from, to)];
  from = null;
  const ends = [bars()[low].dataset.days.split('/')[0], bars()[high].dataset.days.split('/')[1]];
  trigger('pick', {days: ends.join('/')});
});
element.addEventListener('click', (event) => {
  const bar = event.target.closest('button[data-days]');
  if (bar && from !== null) trigger('pick', {days: bar.dataset.days});
  else if (bar && event.detail === 0) trigger('pick', {days: bar.dataset.days});  // by keyboard
  from = null;
});
"""
CHIPS_JS = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-do="clear"]')) trigger('clear');
});
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
    stored = gr.BrowserState(None, storage_key=storage_key, secret="backfile")  # nosec B106 # hides nothing, Gradio wants one
    # The query string of the page's URL; its question is asked when this changes.
    link = gr.Textbox("", visible="hidden")
    opened = gr.State("", time_to_live=SESSION_SECONDS)  # id of the open article
    banner = html_place("bf-banner", VIEWS_JS)
    with gr.Row(elem_id="bf-desk"):
        with gr.Column(scale=0, min_width=0, elem_id="bf-rail"):
            start = gr.Button(i18n("new_conversation"), size="sm", elem_id="bf-new")
            conversations = html_place("bf-conversations", CONVERSATIONS_JS)
            saved_rail = html_place("bf-saved-rail", SAVED_JS)
        with gr.Column(scale=1, min_width=0, elem_id="bf-asking"):
            thread = pieces_place("bf-thread", THREAD_JS)
            feedback = _feedback_form()
            with gr.Column(elem_id="bf-composer"):
                question = _question_field()
                with gr.Row(elem_id="bf-chips"):
                    mode = _mode_choice()
                    chips = html_place("bf-filters", CHIPS_JS)
                understood = gr.CheckboxGroup(
                    label=i18n("understood"),
                    visible=False,
                    elem_id="bf-understood",
                    container=False,
                )
                filters = _filter_panels(chips)
        check = lay_out_check()
        with gr.Column(scale=0, min_width=0, elem_id="bf-reading"):
            article = html_place("bf-article", read_asset("reading.js"))
            similar = html_place("bf-similar", SIMILAR_JS)
            with gr.Column(elem_id="bf-cards"):
                chart = html_place("bf-time", CHART_JS)
                evidence = pieces_place("bf-evidence", CARDS_JS)
    browse = lay_out_browse(SESSION_SECONDS)
    saved = lay_out_saved()
    archive = lay_out_archive(SESSION_SECONDS)
    withdrawal = lay_out_withdrawal(SESSION_SECONDS)
    payload = gr.JSON(visible="hidden")
    return Components(
        session=session,
        stored=stored,
        link=link,
        banner=banner,
        thread=thread,
        understood=understood,
        mode=mode,
        question=question,
        filters=filters,
        feedback=feedback,
        payload=payload,
        chart=chart,
        evidence=evidence,
        article=article,
        similar=similar,
        conversations=conversations,
        start=start,
        opened=opened,
        browse=browse,
        check=check,
        saved=saved,
        saved_rail=saved_rail,
        archive=archive,
        admin=AdminControls(archive.ingest, withdrawal),
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


def _question_field() -> gr.Textbox:
    return gr.Textbox(
        elem_id="bf-question",
        label=i18n("ask_label"),
        show_label=False,
        placeholder=i18n("ask_placeholder"),
        max_length=LONGEST_QUESTION,
        submit_btn=str(i18n("ask")),
        autofocus=True,
        container=False,
        lines=1,
        max_lines=8,
    )


def _mode_choice() -> gr.Radio:
    return gr.Radio(
        [(i18n(f"mode_{mode}"), mode) for mode in MODES],
        value="answer",
        label=i18n("mode"),
        show_label=False,
        container=False,
        elem_id="bf-mode",
    )


def _filter_panels(chips: gr.HTML) -> FilterControls:
    """Create the panel of each chip, which `page.js` shows when its chip is pressed."""
    with gr.Column(elem_id="bf-panel-date", elem_classes="bf-sheet"):
        preset = gr.Radio(
            [(i18n(f"preset_{name}"), name) for name in PRESETS],
            label=i18n("preset"),
            container=False,
            elem_id="bf-preset",
        )
        with gr.Row():
            after, before = _date_field("after"), _date_field("before")
    with gr.Column(elem_id="bf-panel-publisher", elem_classes="bf-sheet"):
        publishers, excluded = _names_field("publishers"), _names_field("excluded")
    with gr.Column(elem_id="bf-panel-more", elem_classes="bf-sheet"):
        with gr.Row():
            authors, sections = _names_field("authors"), _names_field("sections")
        with gr.Row():
            languages, asked_on = _names_field("languages"), _date_field("asked_on")
        order = gr.Radio(
            [(i18n(f"order_{order}"), order) for order in ("relevance", "date")],
            value="relevance",
            label=i18n("order"),
            elem_id="bf-order",
        )
    names = (publishers, authors, sections, languages, excluded)
    return FilterControls(chips, preset, after, before, asked_on, *names, order)


def _date_field(name: str) -> gr.Textbox:
    return gr.Textbox(
        label=i18n(name),
        placeholder=i18n("date_format"),
        max_length=40,
        min_width=120,
        elem_id=f"bf-{name.replace('_', '-')}",
    )


def _names_field(name: str) -> gr.Dropdown:
    return gr.Dropdown(
        label=i18n(name), multiselect=True, choices=[], min_width=140, elem_id=f"bf-{name}"
    )
