// The table of articles: selection, filters, pages, and one or several to withdraw or bring back.
let wanted = [];  // selectors of what gets the focus after a change: the first that is there
let from = null;  // what was pressed
let shownUndo = '';  // the bar that was shown last; a new one takes the focus
const ticks = () => [...element.querySelectorAll('tbody input[data-id]')];
const selected = () => ticks().filter((tick) => tick.checked).map((tick) => tick.dataset.id);
const count = () => {
  const number = selected().length;
  for (const pressed of element.querySelectorAll('[data-selected]')) {
    if (pressed.disabled !== !number) pressed.disabled = !number;
    const shown = pressed.querySelector('i');
    const text = number ? `(${number})` : '';
    if (shown && shown.textContent !== text) shown.textContent = text;
  }
  const all = element.querySelector('[data-all]');
  if (all) {
    all.checked = number > 0 && number === ticks().length;
    all.indeterminate = number > 0 && !all.checked;
  }
  for (const tick of ticks()) tick.closest('tr').toggleAttribute('data-on', tick.checked);
};
// Gradio gives the elements in their places new attributes, some frames after a change: a list or
// a tick would keep what was chosen for another.
let known = '';
const settle = (frames = 30) => {
  const now = ticks().map((tick) => tick.dataset.id).join(' ');
  if (now !== known) {
    known = now;
    for (const tick of ticks()) tick.checked = false;
  }
  for (const list of element.querySelectorAll('select')) {
    if (document.activeElement !== list && list.value !== list.dataset.value) list.value = list.dataset.value;
  }
  count();
  const undo = element.querySelector('.bf-undo');
  const isNew = undo && undo.dataset.ids !== shownUndo && undo.offsetParent;
  if (isNew || !undo) shownUndo = undo?.dataset.ids ?? '';
  const lost = [document.body, from].includes(document.activeElement);
  if (isNew) undo.querySelector('button').focus();
  else if (lost && wanted.length) {
    wanted.map((what) => element.querySelector(what)).find((one) => one?.offsetParent && !one.disabled)?.focus();
  }
  if (frames) requestAnimationFrame(() => settle(frames - 1));
  else [wanted, from] = [[], null];
};
watch('value', () => settle());
const list = (action, more = {}) => trigger('change_list', {action, ...more});
element.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-open]');
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    document.dispatchEvent(new CustomEvent('bf-show', {detail: 'ask'}));
    document.dispatchEvent(new CustomEvent('bf-open', {detail: {address: link.getAttribute('href')}}));
    return;
  }
  const pressed = event.target.closest('button');
  if (!pressed || event.detail > 1) return;  // a double click would act on what came in its place
  from = pressed;
  const {one, id, selected: action, sort, page, list: what, undoLast} = pressed.dataset;
  if (one === 'withdraw') trigger('withdraw', {ids: [id]});
  else if (action === 'withdraw') trigger('withdraw', {ids: selected()});
  else if (one === 'undo' || action === 'undo' || undoLast !== undefined) {
    wanted = ['tbody button', 'h2'];
    trigger('reinstate', {ids: one ? [id] : action ? selected() : []});
  } else if (sort) {
    wanted = ['th[aria-sort] button'];
    list('sort', {value: sort});
  } else if (page) {
    wanted = [page > (element.querySelector('[data-page]')?.dataset.page ?? 0) ? '[data-page]:last-child' : '[data-page]', 'h2'];
    list('page', {page: +page});
    element.scrollIntoView({block: 'start'});
  } else if (what) {
    wanted = [`[data-list="${what}"]`, 'h2'];
    list(what);
  }
});
element.addEventListener('change', ({target}) => {
  if (target.matches('[data-all]')) for (const tick of ticks()) tick.checked = target.checked;
  if (target.matches('select')) {
    from = target;
    list('filter', {facet: target.dataset.filter, value: target.value});
  } else count();
});
