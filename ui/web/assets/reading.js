// The article that is being read: its address in the history, focus, copying, and what opens or
// closes it. `page.js` sends `bf-open` and `bf-leave`.
const root = new URL('.', document.baseURI).href;  // doesn't change with the address
const article = () => element.querySelector('.bf-article');
const isAddress = () => location.href.startsWith(`${root}a/`);
const isLinked = () => new URLSearchParams(location.search).has('article');
const addressOf = (shown) => (shown ? new URL(shown.dataset.address, root).href : '');
// Entries of the history since the page without an article.
const depth = () => history.state?.article ?? 0;
const title = document.title;
let replaces = false;  // the next article takes the place of this one in the history
let openedFrom = null;

// Gradio shows a replaced element some frames later.
const whenShown = (there, then, frames = 240) => {
  if (there()?.offsetParent) then(there());
  else if (frames) requestAnimationFrame(() => whenShown(there, then, frames - 1));
};
const stateOf = (shown, entries) => ({
  view: document.body.dataset.view, article: entries, turn: +shown.dataset.turn || 0, card: +shown.dataset.card || 0});
const follow = () => {
  const shown = article();
  if (!shown) {
    document.title = title;
    if (!isAddress() && !isLinked()) return;
    if (depth()) history.go(-depth());
    else history.replaceState(null, '', root);
    return;
  }
  document.body.dataset.readIn = document.body.dataset.view;
  const address = addressOf(shown);
  if (address !== location.href) {
    if (isLinked()) history.replaceState(stateOf(shown, 0), '', address);
    else if (isAddress() && replaces) history.replaceState(stateOf(shown, depth()), '', address);
    else history.pushState(stateOf(shown, isAddress() ? depth() + 1 : 1), '', address);
  }
  replaces = false;
  const heading = shown.querySelector('h2');
  document.title = `${heading.textContent} · ${title}`;
  whenShown(() => article()?.querySelector('h2'), (there) => {
    there.focus({preventScroll: true});
    const place = element.querySelector('mark, ins, del, .bf-place');
    if (place) place.scrollIntoView({block: 'center'});
    else there.scrollIntoView({block: 'center'});
  });
};
const open = (wanted) => {
  replaces = Boolean(article()) && !wanted.leadsOn;
  trigger('open', {turn: +wanted.turn || 0, card: +wanted.card || 0,
                   address: wanted.address ?? '', since: +wanted.since || 0});
};
const close = () => {
  const from = openedFrom;
  openedFrom = null;
  trigger('close');
  if (from) whenShown(() => (from.isConnected ? from : null), (there) => there.focus());
};
const leave = () => {
  if (isAddress() && depth()) history.go(-depth());  // closed by what follows
  else {
    if (isAddress()) history.replaceState(null, '', root);
    close();
  }
};
addEventListener('popstate', () => {
  if (!isAddress()) {
    if (article()) close();
  } else if (addressOf(article()) !== location.href) {
    const {turn, card} = history.state ?? {};
    open({turn, card, address: location.href.slice(root.length)});
  }
});
document.addEventListener('bf-leave', leave);
document.addEventListener('bf-open', ({detail}) => open(detail));

// The selected words, or the quote, with where they stand
const copy = async (button) => {
  const {quote, source, url, path, whole, pattern, done} = button.dataset;
  const chosen = getSelection();
  const isChosen = !chosen.isCollapsed && element.querySelector('.bf-text').contains(chosen.anchorNode);
  const words = (isChosen ? chosen.toString() : quote).replace(/\s+/g, ' ').trim();
  const values = {words, source, address: url || new URL(isChosen ? whole : path, root).href};
  const text = words ? pattern.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all)
    : `${source}, ${values.address}`;
  try {
    await navigator.clipboard.writeText(text);
  } catch {  // browsers allow the clipboard for https and localhost only
    const field = document.createElement('textarea');
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
    button.focus();
  }
  const label = button.textContent;
  if (label === done) return;
  button.textContent = done;
  const live = document.querySelector('#bf-live');
  if (live) live.textContent = done;
  setTimeout(() => { button.textContent = label; }, 2000);
};
element.addEventListener('mousedown', (event) => {
  if (event.target.closest('[data-do="quote"]')) event.preventDefault();  // keeps the selection
});
document.addEventListener('click', (event) => {
  const source = event.target.closest?.('.bf-card :is([data-card], [data-open]), .bf-cite');
  if (source && !element.contains(source)) openedFrom = source;
  const isInside = event.target.closest?.('#bf-article, #bf-similar');
  const pressed = isInside && event.target.closest('[data-do], [data-address]:is(button), [data-step]');
  if (!pressed) return;
  const {do: name, to} = pressed.dataset;
  if (name === 'close') leave();
  else if (name === 'quote') copy(pressed);
  else if (name === 'remove') trigger('remove');
  else if (name === 'similar') trigger('similar');
  else if (name === 'jump') {
    const heading = element.querySelector(`#${to} h3`);
    heading.scrollIntoView({block: 'start'});
    heading.focus({preventScroll: true});
  } else open({...pressed.dataset, leadsOn: Boolean(pressed.closest('.bf-related, #bf-similar'))});
}, true);
if (article()) follow();
watch('value', follow);
