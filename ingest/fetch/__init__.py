"""Pages from the web: asked for politely, within bounds, from public addresses alone."""
