// A name is asked for in place; a note is saved when it is left, or after a pause.
const PAUSE = 1000;  // milliseconds without a key
const drafts = new Map();  // notes by passage, until the page shows them as saved
let timer = 0;
let next = [];  // selectors of what gets the focus after a change: the first that is there
// The lists are replaced after a change, some frames later: then the focus would be nowhere.
const settle = (frames = 30) => {
  for (const note of element.querySelectorAll('[data-note]')) {
    const draft = drafts.get(note.dataset.note);
    if (draft === note.defaultValue) drafts.delete(note.dataset.note);
    else if (draft !== undefined && draft !== note.value) note.value = draft;
  }
  if (document.activeElement === document.body) {
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
  trigger('act', {action, id, dossier, value: value ?? ''});
};
const askName = (pressed, value) => {
  const field = document.createElement('input');
  field.value = value;
  field.maxLength = 120;
  field.setAttribute('aria-label', pressed.textContent);
  let ended = false;
  const end = (name) => {
    if (ended) return;
    ended = true;
    field.replaceWith(pressed);
    if (name && name !== value) send(pressed, '', name);
  };
  field.addEventListener('blur', () => end(field.value.trim()));
  field.addEventListener('keydown', (key) => {
    if (key.key !== 'Enter' && key.key !== 'Escape') return;
    key.stopPropagation();
    end(key.key === 'Enter' ? field.value.trim() : value);
    pressed.focus();
  });
  pressed.replaceWith(field);
  field.focus();
  field.select();
};
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do][data-id]');
  if (!pressed) return;
  const {do: name, id} = pressed.dataset;
  if (name === 'open-search') trigger('search', {id});
  else if (name === 'word' || name === 'markdown') trigger('file', {id, form: name});
  else if (name === 'feed-address') trigger('feed', {id});
  else if (name.startsWith('rename')) askName(pressed, pressed.closest('[data-name]').dataset.name);
  else if (name === 'create-dossier') askName(pressed, '');
  else send(pressed, pressed.closest('[data-dossier]')?.dataset.dossier ?? '');
});

const saved = new Map();  // notes as they were sent last
const save = (note) => {
  clearTimeout(timer);
  if ((saved.get(note.dataset.note) ?? note.defaultValue) === note.value) return;
  saved.set(note.dataset.note, note.value);
  trigger('act', {action: 'note', id: note.dataset.note, value: note.value,
                  dossier: note.closest('[data-dossier]').dataset.dossier});
};
element.addEventListener('input', ({target}) => {
  const note = target.closest('[data-note]');
  if (!note) return;
  drafts.set(note.dataset.note, note.value);
  clearTimeout(timer);
  timer = setTimeout(() => save(note), PAUSE);
});
element.addEventListener('change', ({target}) => {
  const note = target.closest('[data-note]');
  if (note) save(note);
});
