"""The shared record on a PostgreSQL server."""
