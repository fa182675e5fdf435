() => {
  // Gradio labels each message with its markup, which would be read aloud, and calls the examples
  // a list, which holds buttons: both are left to what is in them.
  const MESSAGES = '[data-testid="bot"], [data-testid="user"]';
  const mend = (element) => {
    if (/^(bot|user)'s message: /.test(element.getAttribute('aria-label') ?? '')) {
      element.removeAttribute('aria-label');
    }
    if (element.matches('.examples[role="list"]')) element.removeAttribute('role');
  };
  const mendAll = (root) => {
    if (root.nodeType === Node.ELEMENT_NODE) mend(root);
    root.querySelectorAll?.(`${MESSAGES}, .examples`).forEach(mend);
  };
  new MutationObserver((changes) => {
    for (const {target, addedNodes} of changes) {
      if (target.matches?.(MESSAGES)) mend(target);
      addedNodes.forEach(mendAll);
    }
  }).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ['aria-label'],
  });
  mendAll(document.body);

  // The page has a base address, from which "#card" would load it anew and lose a link's "?q=".
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href^="#turn-"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    location.hash = link.getAttribute('href');
    document.querySelector(location.hash)?.scrollIntoView({block: 'nearest'});
  });
}
