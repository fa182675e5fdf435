// A button that adds articles is off while it works, and off buttons lose the focus: it goes to
// the button that stops the work, then to the report.
let follows = false;
const settle = (frames = 30) => {
  if (!follows) return;
  const note = element.querySelector('.bf-note');
  const stop = document.querySelector('#bf-stop');
  if (document.activeElement === document.body) {
    if (note) note.tabIndex = -1;
    (stop?.offsetParent ? stop : note)?.focus({preventScroll: true});
  }
  if (frames) requestAnimationFrame(() => settle(frames - 1));
  else if (!element.querySelector('progress')) follows = false;
};
watch('value', () => settle());
element.closest('#bf-mind').addEventListener('click', ({target}) => {
  if (target.closest('#bf-preview-files, #bf-add, #bf-stop')) follows = true;
});
