"""Question parsing: time filters, publishers, answer type, sub-questions, follow-ups."""
