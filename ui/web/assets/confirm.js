// The confirmation of a withdrawal is a dialog: it takes the focus, Escape closes it, and the focus
// returns to where it was opened. Gradio adds it to the page while it is open.
const opener = document.activeElement;
const dialog = element.closest('#bf-sure');
const reason = () => dialog.querySelector('textarea');
const start = (frames = 120) => {
  if (!reason()?.offsetParent) {
    if (frames) requestAnimationFrame(() => start(frames - 1));
    return;
  }
  dialog.setAttribute('role', 'alertdialog');
  dialog.setAttribute('aria-labelledby', 'bf-sure-question');
  reason().required = true;
  reason().focus();
};
start();
dialog.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  event.stopPropagation();
  [...dialog.querySelectorAll('button')].at(-1).click();
});
// Without a reason nothing is withdrawn: the server says so, and the field is where to go on.
dialog.addEventListener('click', ({target}) => {
  const isMissing = target.closest('button.stop') && !reason().value.trim();
  reason().setAttribute('aria-invalid', String(Boolean(isMissing)));
  if (isMissing) reason().focus();
});
const end = new MutationObserver(() => {
  if (element.isConnected && element.offsetParent) return;
  if (!reason()?.offsetParent && document.activeElement === document.body) {
    end.disconnect();
    const log = document.querySelector('#bf-log h2');
    [opener, log].find((there) => there?.isConnected && there.offsetParent)?.focus();
  }
});
end.observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['class']});
