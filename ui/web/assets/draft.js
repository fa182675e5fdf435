// The field of a draft: its number of characters, a text file instead of typing, and Ctrl+Enter. The
// draft outlives that the page is loaded again, in this tab alone and until its reader logs out.
const KEPT = 'backfile-draft';
const BYTES = 400_000;  // of a file; the longest draft has fewer
const field = () => document.querySelector('#bf-draft-field textarea');
const put = (text) => {
  field().value = text;
  field().dispatchEvent(new Event('input', {bubbles: true}));
};
const count = () => {
  const shown = element.querySelector('[data-most]');
  const length = field()?.value.length ?? 0;
  if (!shown) return;
  const {most, pattern, locale} = shown.dataset;
  const values = {count: length.toLocaleString(locale), most: (+most).toLocaleString(locale)};
  shown.textContent = pattern.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  shown.classList.toggle('bf-over', length > +most);
};
const open = async (file) => {
  const bytes = await file.slice(0, BYTES).arrayBuffer();
  const decode = (encoding, fatal) =>
    new TextDecoder(encoding, {fatal}).decode(bytes, {stream: true});  // the end may be cut
  try {
    put(decode('utf-8', true));
  } catch {
    put(decode('windows-1252', false));
  }
  field().focus();
};
document.addEventListener('input', ({target}) => { if (target === field()) count(); });
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.target !== field()) return;
  event.preventDefault();
  document.querySelector('#bf-check-begin')?.click();
});
for (const kind of ['dragover', 'drop']) {
  document.addEventListener(kind, (event) => {
    if (event.target !== field() || !event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) open(file);
  });
}
element.addEventListener('click', ({target}) => {
  if (target.closest('[data-do="file"]')) element.querySelector('input[type="file"]').click();
});
element.addEventListener('change', ({target}) => {
  if (target.type !== 'file' || !target.files[0]) return;
  open(target.files[0]);
  target.value = '';  // the same file can be chosen again
});
let isLeaving = false;
document.addEventListener('submit', ({target}) => { isLeaving ||= target.matches('.bf-account'); });
addEventListener('pagehide', () => {
  const draft = isLeaving ? '' : field()?.value ?? '';
  if (draft.length > BYTES || !draft) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, draft);
});
const restore = (frames = 240) => {
  if (field()) {
    const kept = sessionStorage.getItem(KEPT);
    sessionStorage.removeItem(KEPT);
    if (kept && !field().value) put(kept);
  } else if (frames) requestAnimationFrame(() => restore(frames - 1));
};
restore();
watch('value', count);
