"""PDF files, read in a separate process."""
