"""HTML pages: main text, metadata, headline and date, without hidden text and other stories."""
