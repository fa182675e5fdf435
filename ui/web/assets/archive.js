// A button settles a change, or undoes one. The list is replaced after it, some frames later; then
// the focus goes to the button that took its place, or to the heading.
let pressed = null;  // its place, until the focus has been settled
const buttons = () => [...element.querySelectorAll('[data-do][data-id]')];
const settle = (settled = pressed, frames = 120) => {
  if (settled && document.activeElement === document.body) {
    const there = buttons();
    (there[Math.min(settled.place, there.length - 1)] ?? element.querySelector('h2'))?.focus();
  }
  if (settled && frames) requestAnimationFrame(() => settle(settled, frames - 1));
  else if (pressed === settled) pressed = null;
};
watch('value', () => settle());
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-do][data-id]');
  if (!button || event.detail > 1) return;  // a double click would settle the next one, too
  pressed = {place: buttons().indexOf(button)};
  trigger('act', {action: button.dataset.do, id: button.dataset.id});
});
