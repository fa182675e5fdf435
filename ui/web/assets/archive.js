// A button settles a change, or undoes one. The list is replaced after it, some frames later; then
// the focus goes to the button that took its place, or to the heading.
let place = -1;
const buttons = () => [...element.querySelectorAll('[data-do][data-id]')];
const settle = (frames = 30) => {
  if (place >= 0 && document.activeElement === document.body) {
    const there = buttons();
    (there[Math.min(place, there.length - 1)] ?? element.querySelector('h2'))?.focus();
  }
  if (frames) requestAnimationFrame(() => settle(frames - 1));
  else place = -1;
};
watch('value', () => settle());
element.addEventListener('click', (event) => {
  const pressed = event.target.closest('[data-do][data-id]');
  if (!pressed || event.detail > 1) return;  // a double click would settle the next one, too
  place = buttons().indexOf(pressed);
  trigger('act', {action: pressed.dataset.do, id: pressed.dataset.id});
});
