"""From passages to an answer: quoted or written, arranged, cited, or refused."""
