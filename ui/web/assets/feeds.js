// Feeds: schedules and actions. The list is replaced after each; the focus goes on from there.
let wanted = [];
let from = null;
const settle = (frames = 30) => {
  for (const list of element.querySelectorAll('select')) {
    if (document.activeElement !== list && list.value !== list.dataset.value) list.value = list.dataset.value;
  }
  if (wanted.length && [document.body, from].includes(document.activeElement)) {
    wanted.map((what) => element.querySelector(what)).find((one) => one?.offsetParent)?.focus();
  }
  if (frames) requestAnimationFrame(() => settle(frames - 1));
  else [wanted, from] = [[], null];
};
watch('value', () => settle());
const NEXT = {pause: 'resume', resume: 'pause', restore: 'remove'};
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do][data-id]');
  if (!pressed || event.detail > 1) return;  // a double click would act on what came in its place
  const {do: action, id} = pressed.dataset;
  from = pressed;
  if (action === 'read') {
    trigger('read', {action, id});
    return;
  }
  wanted = action === 'remove' ? ['.bf-undo button'] : [`[data-do="${NEXT[action]}"][data-id="${id}"]`];
  trigger('act', {action, id});
});
element.addEventListener('change', ({target}) => {
  if (!target.matches('select[data-id]')) return;
  from = target;
  trigger('act', {action: 'schedule', id: target.dataset.id, every: +target.value});
});
