"""Phrases that users once read and nobody understood, each with what to write instead.

Matched across line breaks, in all text of the packages and the documentation.
"""

PHRASES = {
    "sits at the machine": (
        "Users on the server's own machine can also add and remove articles ..."
    ),
    "feed it there": "Users on the server's own machine can also add and remove articles ...",
    "look after it": "## Maintenance",
    "article that was refused": (
        "Each rejected article is reported as one JSON line on stderr with ..."
    ),
    "as it stood at the end of a day": (
        "--as-of DATE searches the archive as of the end of that day (by ..."
    ),
    "by when each version came in": (
        "--as-of DATE searches the archive as of the end of that day (by ..."
    ),
    "values that everything else takes and returns": (
        "Value types shared by the whole package; all are frozen dataclasses."
    ),
    "said of an article beside its text": "An article's metadata: everything except its text.",
    "every search asks it of hundreds": (
        "Return a copy with a new score. (Positional on purpose: called ..."
    ),
    "what can go wrong, drawn as a tree": (
        "Exception hierarchy. Every message states the cause and how to fix ..."
    ),
    "all that asks for no lock": (
        "Read-only access to an archive: lookup and search, without the ..."
    ),
    "in the papers until so much later": (
        "articles report events up to this long after they happen"
    ),
    "record's revisions that stand": (
        "Translate `Filters` into a SQL WHERE clause over the current ..."
    ),
    "running out of room": "Map disk-full and permission errors from SQLite, Chroma and ...",
    "whoever found out": "Map disk-full and permission errors from SQLite, Chroma and ...",
    "was last read of revisions": (
        "LRU caches for article texts and metadata; consecutive searches ..."
    ),
    "stand no longer, within a change": (
        "End the current revision of these articles. Must run inside a change."
    ),
    "be the record's vectors from now on": (
        "Replace the live vectors with the staged ones. Must run inside a ..."
    ),
    "have memory zeroed": "With glibc, make malloc overwrite fresh memory, so erased text ...",
    "{loss.what}": "Archive {folder} has lost changes 3-5: its indexes contain changes ...",
    "is no backup, or not all of one": "is not a complete backup file",
    "not what was put in": "failed its checksum; use another backup",
    "to be had from the hub": (
        "is not a local folder and could not be downloaded from the Hugging ..."
    ),
    "nothing of it can be shown": (
        "If no sentence passes verification, fall back to the extractive ..."
    ),
    "not borne out by": "The generated answer was not supported by the passages",
    "nothing in it bears on": "No article in the archive is relevant to this question.",
    "what was found is about": "The passages found are about something else.",
    "what the sentences found agree on": (
        "Consensus across sources: names and numbers that several sentences ..."
    ),
    "has no date has no place in it": "Undated articles and duplicates are skipped, and so is",
    "ask again with growing pauses": (
        "Send the request; retry transient failures with exponential backoff."
    ),
    "by when a request must be done": (
        "A deadline for a whole request; slow-drip responses do not extend it."
    ),
    "a polite absence": "Detect paywalls, login pages and soft 404s.",
    "asks for money": "requires payment (HTTP 402)",
    "is no page of html": "is not an HTML page (content type",
    "one less of what": "Mark one link of a link page as done; once all are done, record ...",
    "put it in again when it is whole": "still being written; ingest it again once it is complete",
    "to the process that asks": (
        "Worker start-up: ignore SIGINT and exit when the parent process dies."
    ),
    "site's litter": "only boilerplate",
    "in every particular, and mend": "check the archive's integrity; --repair fixes what it can",
    "are found by their beginnings": "passages exceed the model's input limit and were truncated",
    "have numpy, not loaded yet": (
        "Limit BLAS to one thread before numpy is imported, unless the user ..."
    ),
    "say what to look for": "QUESTION is required",
    "put articles in and take them out": (
        "Authorization for write access: nobody, anyone, or local users only."
    ),
    "what one browser has before it": (
        "Per-browser session state: conversations, turns and requests ..."
    ),
    "asks again whether who asks": (
        "Register the admin event handlers; each re-checks authorization."
    ),
    "said of the nouns": "Serialize value types to JSON, and format names and dates.",
    "time left aside": "date filter ignored",
}
