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
  const mendAll = (root) => root.querySelectorAll?.(`${MESSAGES}, .examples`).forEach(mend);
  new MutationObserver((changes) => {
    for (const {target, addedNodes} of changes) {
      if (target.matches?.(MESSAGES)) mend(target);
      addedNodes.forEach(mendAll);
    }
  }).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ['aria-label'],
  });
  mendAll(document.body);
}
