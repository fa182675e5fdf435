// A name is asked for in place; a note is saved when it is left, or after a pause.
const PAUSE = 1000;  // milliseconds without a key
const drafts = new Map();  // notes by passage, until the page shows them as saved
let next = [];  // selectors of what gets the focus after a change: the first that is there
let from = null;  // what was pressed
// After a change, Gradio gives the elements in their places new attributes and texts, some frames
// later: a field would keep the note of another passage, and the focus be nowhere.
const settle = (frames = 30) => {
  for (const note of element.querySelectorAll('[data-note]')) {
    const draft = drafts.get(note.dataset.note);
    if (draft === note.defaultValue) drafts.delete(note.dataset.note);
    const wanted = draft ?? note.defaultValue;
    if (note.value !== wanted) note.value = wanted;
  }
  if ([document.body, from].includes(document.activeElement)) {
    next.map((what) => element.querySelector(what)).find((one) => one?.offsetParent)?.focus();
  }
  if (frames) requestAnimationFrame(() => settle(frames - 1));
  else next = [];
};
watch('value', () => settle());

const AFTER = {  // an action: what has the focus next, for the item with that id
  'delete-search': () => ['.bf-undo button'],
  'delete-dossier': () => ['.bf-undo button'],
  'remove-passage': () => ['.bf-dossier .bf-undo button'],
  'restore-passage': (id) => [`[data-note="${id}"]`],
  'create-dossier': () => ['[data-do="open-dossier"][aria-current]', '[data-do="create-dossier"]'],
  up: (id) => [`[data-do="up"][data-id="${id}"]`, `[data-do="down"][data-id="${id}"]`],
  down: (id) => [`[data-do="down"][data-id="${id}"]`, `[data-do="up"][data-id="${id}"]`],
};
const ofItem = (id) => [`[data-do^="open"][data-id="${id}"]`];
const send = (pressed, dossier, value) => {
  const {do: action, id} = pressed.dataset;
  next = (AFTER[action] ?? ofItem)(id);
  from = pressed;
  trigger('act', {action, id, dossier, value: value ?? ''});
};
const askName = (pressed, value) => {
  const field = document.createElement('input');
  field.value = value;
  field.maxLength = 120;
  field.setAttribute('aria-label', pressed.textContent);
  let ended = false;
  const end = (name) => {
    if (ended || !field.isConnected) return;
    ended = true;
    field.replaceWith(pressed);
    if (name && name !== value) send(pressed, '', name);
  };
  // Later, since Gradio may be replacing the field.
  field.addEventListener('blur', () => setTimeout(() => end(field.value.trim())));
  field.addEventListener('keydown', (key) => {
    if (key.key !== 'Enter' && key.key !== 'Escape') return;
    key.stopPropagation();
    key.preventDefault();  // else Enter presses the button that has the focus then
    end(key.key === 'Enter' ? field.value.trim() : value);
    pressed.focus();
  });
  pressed.replaceWith(field);
  field.focus();
  field.select();
};
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do][data-id]');
  if (!pressed || event.detail > 1) return;  // a double click would act on what came in its place
  const {do: name, id} = pressed.dataset;
  if (name === 'open-search') trigger('search', {id});
  else if (['word', 'pdf', 'markdown'].includes(name)) trigger('file', {id, form: name});
  else if (name === 'feed-address') trigger('feed', {id});
  else if (name.startsWith('rename')) askName(pressed, pressed.closest('[data-name]').dataset.name);
  else if (name === 'create-dossier') askName(pressed, '');
  else send(pressed, pressed.closest('[data-dossier]')?.dataset.dossier ?? '');
});

const sent = new Map();  // notes by passage, as they were sent last
const timers = new Map();  // by passage
const write = (note, delay) => {
  const {dataset: {note: id}, value, defaultValue} = note;
  const {dossier} = note.closest('[data-dossier]').dataset;
  drafts.set(id, value);
  clearTimeout(timers.get(id));
  timers.set(id, setTimeout(() => {
    if ((sent.get(id) ?? defaultValue) === value) return;
    sent.set(id, value);
    trigger('act', {action: 'note', id, dossier, value});
  }, delay));
};
element.addEventListener('input', ({target}) => {
  if (target.matches('[data-note]')) write(target, PAUSE);
});
element.addEventListener('focusout', ({target}) => {
  if (target.matches('[data-note]') && drafts.has(target.dataset.note)) write(target, 0);
});
