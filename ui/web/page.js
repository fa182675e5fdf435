() => {
  // Gradio labels each message with its markup, which screen readers would read, gives the list role
  // to the examples, which are buttons, and an unnamed symbol role to the selection in the plot.
  const MESSAGES = '[data-testid="bot"], [data-testid="user"]';
  const SHADES = '[class*="brush_brush"][role]';
  // Gradio gives each radio button its own name, so arrow keys do not move between them. Radio
  // buttons that ask a question when selected stay so: an arrow key would ask on each step.
  const CHOICES = ':is(#bf-mode, #bf-which, #bf-order) input[type="radio"]';
  const fixAttributes = (element) => {
    if (/^(bot|user)'s message: /.test(element.getAttribute('aria-label') ?? '')) {
      element.removeAttribute('aria-label');
    }
    if (element.matches(`.examples[role="list"], ${SHADES}`)) element.removeAttribute('role');
    if (element.matches(CHOICES)) {
      const {id} = element.closest('fieldset');
      if (element.name !== id) element.name = id;  // Gradio resets it on selection
    }
  };
  const fixAttributesBelow = (root) => {
    if (root.nodeType === Node.ELEMENT_NODE) fixAttributes(root);
    root.querySelectorAll?.(`${MESSAGES}, .examples, ${SHADES}, ${CHOICES}`).forEach(fixAttributes);
  };
  // On narrow screens the chat does not scroll by itself, so scroll to the question.
  const NARROW = matchMedia('(max-width: 719px)');
  const ASKED = '[data-testid="user"]';
  const showQuestion = (node) => {
    if (!NARROW.matches || !(node.matches?.(ASKED) || node.querySelector?.(ASKED))) return;
    const asked = [...document.querySelectorAll(ASKED)].at(-1);
    requestAnimationFrame(() => asked?.scrollIntoView({block: 'start'}));
  };
  new MutationObserver((changes) => {
    for (const {target, addedNodes} of changes) {
      if (target.matches?.(`${MESSAGES}, ${SHADES}, ${CHOICES}`)) fixAttributes(target);
      addedNodes.forEach(fixAttributesBelow);
      addedNodes.forEach(showQuestion);
    }
  }).observe(document.body, {
    subtree: true, childList: true, attributes: true,
    attributeFilter: ['aria-label', 'role', 'name'],
  });
  fixAttributesBelow(document.body);

  // A click on the plot selects the nearest bar; Gradio handles drags only.
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

  let opened = null;  // selector of the button that opened the article
  // Gradio shows a replaced element some frames later.
  const whenThere = (what, then, frames = 240) => {
    const there = document.querySelector(what);
    if (there?.offsetParent) then(there);
    else if (frames) requestAnimationFrame(() => whenThere(what, then, frames - 1));
  };

  // The page has a base URL, so following "#card" would reload it without the query string.
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href^="#turn-"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const close = document.querySelector('#bf-close');
    if (close?.offsetParent) {  // the open article hides the cards
      opened = null;
      close.click();
    }
    const wanted = link.getAttribute('href');
    whenThere(wanted, (there) => {
      location.hash = wanted;
      there.scrollIntoView({block: 'nearest'});
    });
  });

  // Closing an article returns the focus to the button that opened it.
  document.addEventListener('click', (event) => {
    const pressed = event.target.closest?.('.bf-card [data-card]');
    if (pressed) opened = `[data-turn="${pressed.dataset.turn}"][data-card="${pressed.dataset.card}"]`;
    if (opened && event.target.closest?.('#bf-close')) whenThere(opened, (there) => there.focus());
  });
}
