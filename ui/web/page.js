() => {
  // Gradio labels each message with its markup, which would be read aloud, calls the examples a
  // list, which holds buttons, and the shade of what is marked in the plot a symbol without a name:
  // all are left to what is in them.
  const MESSAGES = '[data-testid="bot"], [data-testid="user"]';
  const SHADES = '[class*="brush_brush"][role]';
  // Gradio gives each radio button a name of its own, so that arrow keys lead from none to the next.
  // Those that ask at once where they are picked stay so: an arrow would ask each on the way.
  const CHOICES = ':is(#bf-mode, #bf-which, #bf-order) input[type="radio"]';
  const mend = (element) => {
    if (/^(bot|user)'s message: /.test(element.getAttribute('aria-label') ?? '')) {
      element.removeAttribute('aria-label');
    }
    if (element.matches(`.examples[role="list"], ${SHADES}`)) element.removeAttribute('role');
    if (element.matches(CHOICES)) {
      const {id} = element.closest('fieldset');
      if (element.name !== id) element.name = id;  // Gradio names it anew when it is picked
    }
  };
  const mendAll = (root) => {
    if (root.nodeType === Node.ELEMENT_NODE) mend(root);
    root.querySelectorAll?.(`${MESSAGES}, .examples, ${SHADES}, ${CHOICES}`).forEach(mend);
  };
  // On a phone the chat does not scroll by itself: who asks is led to the question's answer.
  const NARROW = matchMedia('(max-width: 719px)');
  const ASKED = '[data-testid="user"]';
  const showQuestion = (node) => {
    if (!NARROW.matches || !(node.matches?.(ASKED) || node.querySelector?.(ASKED))) return;
    const asked = [...document.querySelectorAll(ASKED)].at(-1);
    requestAnimationFrame(() => asked?.scrollIntoView({block: 'start'}));
  };
  new MutationObserver((changes) => {
    for (const {target, addedNodes} of changes) {
      if (target.matches?.(`${MESSAGES}, ${SHADES}, ${CHOICES}`)) mend(target);
      addedNodes.forEach(mendAll);
      addedNodes.forEach(showQuestion);
    }
  }).observe(document.body, {
    subtree: true, childList: true, attributes: true,
    attributeFilter: ['aria-label', 'role', 'name'],
  });
  mendAll(document.body);

  // A click on the plot, which Gradio takes for the begin of a drag, picks the bar that is nearest.
  let down = null;
  document.addEventListener('pointerdown', (event) => {
    down = event.target.closest?.('#bf-plot svg') ? event : null;
  }, true);
  document.addEventListener('click', (event) => {
    const note = document.querySelector('#bf-spoken [data-step]');
    if (!down || !note || Math.hypot(event.x - down.x, event.y - down.y) > 4) return;
    const away = (bar) => {
      const {left, right} = bar.getBoundingClientRect();
      return Math.abs((left + right) / 2 - event.x);
    };
    const [bar] = [...document.querySelectorAll('#bf-plot path[aria-roledescription="bar"]')]
      .filter((path) => path.__data__?.datum.articles && away(path) < 12)
      .sort((one, other) => away(one) - away(other));
    if (!bar) return;
    const detail = {day: +bar.__data__.datum.day, step: note.dataset.step};
    note.dispatchEvent(new CustomEvent('bf-pick', {bubbles: true, detail}));
  }, true);

  let opened = null;  // the button of the card whose article is read
  // What is put in the place of something else is there a little later.
  const whenThere = (what, then, frames = 240) => {
    const there = document.querySelector(what);
    if (there?.offsetParent) then(there);
    else if (frames) requestAnimationFrame(() => whenThere(what, then, frames - 1));
  };

  // The page has a base address, from which "#card" would load it anew and lose a link's "?q=".
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href^="#turn-"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const close = document.querySelector('#bf-close');
    if (close?.offsetParent) {  // the cards are behind the article that is open
      opened = null;
      close.click();
    }
    const wanted = link.getAttribute('href');
    whenThere(wanted, (there) => {
      location.hash = wanted;
      there.scrollIntoView({block: 'nearest'});
    });
  });

  // Who comes back from an article is where they were.
  document.addEventListener('click', (event) => {
    const pressed = event.target.closest?.('.bf-card [data-card]');
    if (pressed) opened = `[data-turn="${pressed.dataset.turn}"][data-card="${pressed.dataset.card}"]`;
    if (opened && event.target.closest?.('#bf-close')) whenThere(opened, (there) => there.focus());
  });
}
