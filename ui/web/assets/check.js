// A checked draft: which sentences are shown, their passages, and what the buttons above do.
const place = () => document.querySelector('#bf-checking');
const head = () => element.querySelector('#bf-check-head');
let progress = '';
const mark = () => {
  const buttons = [...element.querySelectorAll('[data-only]')];
  if (!buttons.some((one) => one.dataset.only === place().dataset.only)) place().dataset.only = '';
  for (const one of buttons) one.ariaPressed = String(one.dataset.only === place().dataset.only);
};
const say = (text) => {
  const live = document.querySelector('#bf-live');
  if (live) live.textContent = text;
};
const shownWords = () => [...element.querySelectorAll('[data-only]:not([data-only=""])')]
  .map((one) => one.innerText.replace(/\s+/g, ' ').trim()).join(', ');
// Gradio shows a replaced element some frames later.
const focusHeading = (frames = 60) => {
  const heading = head()?.querySelector('h2');
  if (heading?.offsetParent) heading.focus({preventScroll: true});
  else if (frames) requestAnimationFrame(() => focusHeading(frames - 1));
};
const follow = () => {
  const now = head()?.dataset.progress ?? '';
  if (now === progress) { mark(); return; }
  const isNew = now === 'waiting', isBusy = isNew || now === 'growing';
  const wasBusy = progress === 'waiting' || progress === 'growing';
  progress = now;
  if (isNew) {
    Object.assign(place().dataset, {only: '', shown: 'checked'});
    place().scrollTop = 0;
    scrollTo({top: 0});
  }
  mark();
  if (isNew || (wasBusy && document.activeElement === document.body)) focusHeading();
  if (wasBusy && !isBusy) say(`${head().querySelector('h2').textContent}: ${shownWords()}`);
};
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do], [data-only], [data-open]');
  if (!pressed) return;
  const {do: name, only, open, form} = pressed.dataset;
  if (open) document.dispatchEvent(new CustomEvent('bf-open', {detail: {address: open}}));
  else if (only !== undefined) {
    place().dataset.only = only;
    mark();
  } else if (name === 'revise') {
    place().dataset.shown = 'form';
    const field = document.querySelector('#bf-draft-field textarea');
    requestAnimationFrame(() => field.focus());
  } else if (name === 'save') trigger('save', {form});
  else if (name === 'stop' || name === 'copy') trigger(name);
});
watch('value', follow);
