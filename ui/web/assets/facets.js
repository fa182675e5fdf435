// The values that are chosen are known here, and sent as a whole: of quick clicks none is lost,
// whatever the server has seen when it answers the first. What it shows counts again when it shows
// what was wanted, or after a while.
const TOGETHER = 60;  // milliseconds; clicks within them are sent as one
const PATIENCE = 1500;  // milliseconds until what is wanted is sent again
const TRIES = 3;
const DATES = ['day', 'month'];
let wanted = null;  // pairs of a facet and a value, until the server shows them
let tries = 0, timer = 0;
const place = () => document.querySelector('#bf-results [data-chosen]');
const shown = () => JSON.parse(place()?.dataset.chosen ?? '[]');
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const mark = () => {
  for (const button of element.querySelectorAll('[data-facet]')) {
    const {facet, value} = button.dataset;
    button.ariaPressed = String(wanted.some((pair) => isSame(pair, [facet, value])));
  }
};
const send = () => {
  if (!wanted) return;
  tries += 1;
  trigger('act', {action: 'choose', chosen: wanted});
  timer = setTimeout(check, PATIENCE);
};
const check = () => {
  const isRefused = !place();  // the server said so in place of the articles
  if (isRefused || isSame(shown(), wanted) || tries >= TRIES) wanted = null;
  else send();
};
document.addEventListener('bf-facet', ({detail: pair}) => {
  const before = wanted ?? shown();
  const others = before.filter((one) => !isSame(one, pair));
  wanted = others.length < before.length ? others
    : [...others.filter(([facet]) => !DATES.includes(facet) || !DATES.includes(pair[0])), pair];
  tries = 0;
  mark();
  clearTimeout(timer);
  timer = setTimeout(send, TOGETHER);
});
watch('value', () => { if (wanted) mark(); });
