"""What is in a text, in news English: sentences, words, names, figures, quotations."""
