"""Users, tokens, sessions and the audit log: who sends a request, and what was done."""
