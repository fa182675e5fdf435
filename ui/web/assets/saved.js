// A name is asked for in place; a note is saved when it is left.
const send = (pressed, value) => trigger('act', {
  action: pressed.dataset.do, id: pressed.dataset.id, value: value ?? '',
  dossier: pressed.closest('[data-dossier]')?.dataset.dossier ?? '',
});
const askName = (pressed, value) => {
  const field = document.createElement('input');
  field.value = value;
  field.maxLength = 120;
  field.setAttribute('aria-label', pressed.textContent);
  field.addEventListener('keydown', (key) => {
    if (key.key === 'Enter' && field.value.trim()) send(pressed, field.value.trim());
    if (key.key === 'Escape') { key.stopPropagation(); field.replaceWith(pressed); pressed.focus(); }
  });
  pressed.replaceWith(field);
  field.focus();
  field.select();
};
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do][data-id]');
  if (!pressed) return;
  const name = pressed.dataset.do;
  if (name === 'open-search') trigger('search', {id: pressed.dataset.id});
  else if (name === 'word' || name === 'markdown') trigger('file', {id: pressed.dataset.id, form: name});
  else if (name === 'feed-address') trigger('feed', {id: pressed.dataset.id});
  else if (name.startsWith('rename')) askName(pressed, pressed.closest('[data-name]').dataset.name);
  else if (name === 'create-dossier') askName(pressed, '');
  else send(pressed);
});
element.addEventListener('change', (event) => {
  const note = event.target.closest('[data-note]');
  if (!note) return;
  trigger('act', {action: 'note', id: note.dataset.note, value: note.value,
                  dossier: note.closest('[data-dossier]').dataset.dossier});
});
