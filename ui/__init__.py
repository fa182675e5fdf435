"""User interfaces of Backfile: command line, browser page, and message catalogues."""
