"""HTML views of the page: messages, evidence cards, articles, status."""
