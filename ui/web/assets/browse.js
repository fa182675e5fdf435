// Facets, names and articles of the view for browsing
element.addEventListener('click', (event) => {
  const {target} = event;
  const facet = target.closest('[data-facet]');
  const name = target.closest('[data-name]');
  const pressed = target.closest('[data-do]')?.dataset;
  const link = target.closest('a[data-open]');
  const days = target.closest('button[data-days]')?.dataset.days;
  if (days) {  // a bar of a name's page: the articles of its first month
    document.dispatchEvent(new CustomEvent('bf-facet', {detail: ['month', days.slice(0, 7)]}));
    return;
  }
  if (facet) {
    const {facet: name, value} = facet.dataset;
    document.dispatchEvent(new CustomEvent('bf-facet', {detail: [name, value]}));
  } else if (name) {
    trigger('act', {action: 'name', value: name.dataset.name, kind: name.dataset.kind});
    document.querySelector('#bf-browse')?.scrollIntoView({block: 'start'});
  } else if (pressed?.do === 'more' || pressed?.do === 'back') trigger('act', {action: pressed.do});
  else if (pressed?.do === 'export') trigger('file', {form: pressed.form});
  else if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    document.dispatchEvent(new CustomEvent('bf-show', {detail: 'ask'}));
    document.dispatchEvent(new CustomEvent('bf-open', {detail: {address: link.getAttribute('href')}}));
  }
});
let typing = 0;
element.addEventListener('input', (event) => {
  if (!event.target.matches('input[type="search"]')) return;
  clearTimeout(typing);
  typing = setTimeout(() => trigger('prefix', {prefix: event.target.value}), 250);
});
// The address shows the same again. A field that was typed in keeps the focus.
watch('value', () => {
  const found = element.querySelector('[data-link]');
  if (found && document.body.dataset.view === 'browse') history.replaceState(null, '', found.dataset.link);
  const field = element.querySelector('input[type="search"]');
  if (field?.value) {
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }
});
