"""Text analysis for news English: sentences, tokens, entities, numbers, dates, quotations."""
