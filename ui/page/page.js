() => {
  // Gradio labels each message with its markup; a screen reader is told whose it is instead.
  const label = (message) => {
    const said = message.getAttribute('aria-label') ?? '';
    if (/^(bot|user)'s message: /.test(said)) message.removeAttribute('aria-label');
  };
  new MutationObserver((changes) => {
    for (const {target, addedNodes} of changes) {
      if (target.matches?.('[data-testid="bot"], [data-testid="user"]')) label(target);
      for (const node of addedNodes) {
        node.querySelectorAll?.('[data-testid="bot"], [data-testid="user"]').forEach(label);
      }
    }
  }).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ['aria-label'],
  });
}
