// The values that are chosen are known here, and sent as a whole: two quick clicks can't undo each
// other, whichever of them the server has seen when it answers the first.
const PATIENCE = 10_000;  // milliseconds after which what the server shows counts again
const DATES = ['day', 'month'];
let wanted = null;  // pairs of a facet and a value, until the server shows them
let since = 0;
const shown = () => JSON.parse(document.querySelector('#bf-results [data-chosen]')?.dataset.chosen ?? '[]');
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const mark = () => {
  for (const button of element.querySelectorAll('[data-facet]')) {
    const {facet, value} = button.dataset;
    button.ariaPressed = String(wanted.some((pair) => isSame(pair, [facet, value])));
  }
};
document.addEventListener('bf-facet', ({detail: pair}) => {
  if (performance.now() - since > PATIENCE) wanted = null;
  const before = wanted ?? shown();
  const others = before.filter((one) => !isSame(one, pair));
  wanted = others.length < before.length ? others
    : [...others.filter(([facet]) => !DATES.includes(facet) || !DATES.includes(pair[0])), pair];
  since = performance.now();
  mark();
  trigger('act', {action: 'choose', chosen: wanted});
});
watch('value', () => {
  if (!wanted) return;
  if (isSame(shown(), wanted)) wanted = null;
  else mark();
});
