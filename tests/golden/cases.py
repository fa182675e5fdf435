"""Questions, searches and command lines whose outputs are golden."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_INGEST, SECOND_INGEST = "2024-11-20T08:00:00+00:00", "2024-11-25T08:00:00+00:00"
NOVEMBER = "2024-11-15"
DECEMBER = "2024-12-10"


@dataclass(frozen=True)
class Case:
    """A question with all that narrows it; `history` names cases that were asked before it.

    `script` is what a chat model writes; without one the answer is extractive.
    """

    question: str
    asked_on: str | None = NOVEMBER
    after: str | None = None
    before: str | None = None
    publishers: tuple[str, ...] = ()
    as_of: str | None = None
    history: tuple[str, ...] = ()
    k: int = 8
    script: str = ""
    unsupported: str = "strict"


SUMMIT = "What did Yoon say at the summit with the Polish president?"
SOLDIERS = "How many soldiers has North Korea sent to Russia?"
NOBEL = "Who won the Nobel Prize in Literature this month?"

ANSWERS = {
    "quotation": Case("What did South Korea threaten?"),
    "date": Case("When was the treaty signed?"),
    "number, early": Case(SOLDIERS, "2024-10-24"),
    "number, late": Case(SOLDIERS, "2024-11-12"),
    "this month": Case(NOBEL, "2024-10-14"),
    "last week": Case("What did the White House say last week?", "2024-10-31"),
    "on a day": Case("What did Lloyd Austin say on 23 October?", "2024-10-26"),
    "between two days": Case("What happened in Kursk between 4 and 12 November?", DECEMBER),
    "publisher in words": Case("What did the Harbour Courier report about China?"),
    "according to": Case("How many died in the floods, according to the Pellworth Tribune?"),
    "exclusion": Case("What did Putin say about the soldiers, but not about Ukraine?"),
    "phrase": Case('Who said that the images were a "serious thing"?'),
    "several parts": Case(
        "Who won the Nobel Prize in Literature, and who hit the grand slam in the first game?"
    ),
    "two sides": Case("What are the arguments for and against sending weapons to Ukraine?"),
    "course of events": Case("What happened in Valencia after the floods?", DECEMBER),
    "reason": Case("Why were people in Valencia warned so late?", "2024-11-03"),
    "place": Case("Where did Kamala Harris concede?", "2024-11-07"),
    "yes or no": Case("Did Moldova vote for membership of the European Union?", "2024-10-25"),
    "copies": Case("Which port were the special forces shipped to?", "2024-10-20"),
    "correction": Case("What does Russia get from the treaty, and what does Kim get?"),
    "German": Case("Wer hat den Literaturnobelpreis gewonnen?"),
    "filter by publisher": Case(
        "What did South Korea threaten?", publishers=("Saltmarsh Monitor", "Fennmark Wire")
    ),
    "filter by days": Case(SOLDIERS, after="2024-10-23", before="2024-10-24"),
    "few passages": Case("What did Rutte confirm?", "2024-10-29", k=2),
    "premise: action": Case("Why did South Korea send tanks to Kyiv?", DECEMBER),
    "premise: person": Case("Why did Kamala Harris win the presidential election?", DECEMBER),
    "premise: number": Case(
        "Why had North Korea sent 50,000 soldiers to Russia by 18 October?", DECEMBER
    ),
    "premise: place": Case(
        "When was the treaty between Russia and North Korea signed in Beijing?", DECEMBER
    ),
    "premise: negation": Case(
        "Why did Moldovans vote against joining the European Union?", DECEMBER
    ),
    "premise: true": Case(
        "Why did Moldovans vote in favour of joining the European Union?", DECEMBER
    ),
    "not in the archive": Case("What did the Pope say?"),
    "not in the archive, numbers": Case("How high is the Eiffel Tower?"),
    "not in the archive, other subject": Case("What does the weather mean for the harvest?"),
    "not in the archive, words": Case("xyzzy plugh"),
    "before coverage": Case("How many soldiers had North Korea sent in May 2011?"),
    "after coverage": Case("What did Yoon threaten in March 2025?", "2025-06-01"),
    "outside the filter": Case("When was the treaty signed?", before="2024-06-01"),
    "outside the publisher": Case(
        "Who hit the grand slam in the first game?", publishers=("The Alder Street Ledger",)
    ),
    "impossible filter": Case(SOLDIERS, after="2024-11-01", before="2024-10-01"),
    "follow-up: pronoun": Case(
        "Why did she not want to hold a press conference?", "2024-10-14", history=("this month",)
    ),
    "follow-up: another subject": Case("And what did China say?", history=("quotation",)),
    "follow-up: another time": Case("And in June?", history=("date",)),
    "follow-up: none needed": Case("Who was pelted with mud in Paiporta?", history=("date",)),
    "as of: first version": Case(SUMMIT, None, as_of="2024-11-20"),
    "as of: second version": Case(SUMMIT, None, as_of="2024-11-25"),
    "as of: nothing yet": Case(SUMMIT, None, as_of="2024-11-01"),
    "chat model: verified and rejected": Case(
        SOLDIERS,
        "2024-10-24",
        script=(
            "North Korea has sent 1,500 soldiers to Russia. [1] "
            "At least 3,000 North Korean soldiers travelled to eastern Russia by ship. [9] "
            "North Korea has sent 90,000 soldiers to Russia. [1] "
            "The king of Norway sent ten tanks. [2] "
            "North Korea has now sent about 3,000 soldiers to Russia. [1] "
            "It is likely to have some 10,000 there by December. [4]"
        ),
    ),
    "chat model: rejected is marked": Case(
        "When was the treaty signed?",
        script="The treaty was signed on 19 June 2024. [1] It was signed in Beijing. [1]",
        unsupported="mark",
    ),
    "chat model: nothing verified": Case(
        "When was the treaty signed?", script="Seventy dragons signed it. [1]"
    ),
    "chat model: does not say": Case(
        "When was the treaty signed?", script="The archive does not say."
    ),
}

TIMELINES = {
    "soldiers": Case("What happened with the North Korean soldiers?", DECEMBER),
    "window": Case("What happened in Moldova in October?", DECEMBER),
    "filter": Case("What did Seoul say?", publishers=("Pellworth Tribune",)),
    "refused": Case("What did the Pope say?"),
}

SEARCHES = {
    "plain": Case("sanctions on North Korean generals"),
    "filter by days": Case("sanctions", after="2024-10-20", before="2024-11-10"),
    "filter by publisher": Case("drones", publishers=("harbour courier",)),
    "today": Case("What was reported today about the soldiers?", "2024-10-24"),
    "since": Case("What has Moscow delivered since 19 June?", "2024-10-24"),
    "soft window": Case("What did South Korea threaten this week?", "2024-10-24"),
    "empty window": Case("What did the Kremlin say in 2019?"),
    "publisher in words": Case("What did the Westermoor Evening Post report about China?"),
    "author in words": Case("What did Ines Calloway write about Yoon?"),
    "unknown publisher in words": Case("floods in the Daily Planet"),
    "exclusion": Case("Starship -booster"),
    "phrase": Case('"special forces" in Vladivostok'),
    "several parts": Case(
        "Did Yoon rule out weapons for Ukraine, while Putin denied that there are soldiers?"
    ),
    "year in words": Case("the 2024 election"),
    "headline": Case("‘We will not sit idle’: what Seoul has threatened so far"),
    "headline with a date": Case("Seoul doubles its count to 3,000 and expects 10,000 by December"),
    "follow-up": Case("And in June?", history=("date",)),
    "many": Case("North Korea", k=30),
    "none": Case("North Korea", k=0),
    "as of": Case(SUMMIT, None, as_of="2024-11-20"),
    "impossible filter": Case("North Korea", after="2024-11-01", before="2024-10-01"),
}

HISTOGRAMS = {
    "soldiers": Case("North Korean soldiers in Russia"),
    "treaty, cited": Case("partnership treaty", history=("date",)),
    "filter by publisher": Case("floods in Valencia", publishers=("Pellworth Tribune",)),
    "none": Case("xyzzy plugh"),
}

# Command lines; `--archive FOLDER` is added to each.
COMMANDS = {
    "ask": ["ask", "What did South Korea threaten?", "--asked-on", NOVEMBER],
    "ask, JSON": ["ask", "When was the treaty signed?", "--asked-on", NOVEMBER, "--json"],
    "ask, refused": ["ask", "What did the Pope say?", "--asked-on", NOVEMBER],
    "ask, refused, JSON": ["ask", "What did the Pope say?", "--asked-on", NOVEMBER, "--json"],
    "ask, as of": ["ask", SUMMIT, "--as-of", "2024-11-20"],
    "ask, unsure": [
        "ask",
        "Why were people in Valencia warned so late?",
        "--asked-on",
        "2024-11-03",
    ],
    "ask, premise": ["ask", "Why did South Korea send tanks to Kyiv?", "--asked-on", DECEMBER],
    "search": [
        *("search", "sanctions on North Korean generals", "--asked-on", NOVEMBER),
        *("--after", "2024-10-20", "--before", "2024-11-10", "-k", "3"),
    ],
    "search, JSON": [
        *("search", "drones", "--publisher", "Harbour Courier", "--asked-on", NOVEMBER),
        *("-k", "2", "--json"),
    ],
    "search, empty window": ["search", "Kremlin in 2019", "--asked-on", NOVEMBER, "-k", "2"],
    "search, empty window, JSON": [
        *("search", "Kremlin in 2019", "--asked-on", NOVEMBER, "-k", "2", "--json"),
    ],
    "status, JSON": ["status", "--json"],
    "show": ["show", "pellworth-tribune.example/2024/10/24/yoon-duda-seoul-summit"],
    "show, JSON": [
        *("show", "pellworth-tribune.example/2024/10/24/yoon-duda-seoul-summit"),
        *("--revisions", "--json"),
    ],
    "show, unknown": ["show", "nowhere.example/1"],
    "doctor": ["doctor"],
    "doctor, JSON": ["doctor", "--json"],
    "rejects, JSON": ["rejects", "--json"],
    "sources, JSON": ["sources", "list", "--json"],
    "unknown publisher": ["search", "drones", "--publisher", "Daily Planet"],
    "unknown command": ["unknown"],
    "no command": [],
    "no question": ["search", ""],
    "bad number": ["search", "x", "-k", "0"],
    "bad day": ["search", "x", "--after", "no date"],
    "bad question file": ["evaluate", "retrieval", "none.jsonl"],
    "nothing to measure": ["evaluate", "answers"],
}

# Pages of help; "" is that of the whole program.
HELP = (
    *("", "ask", "chat", "search", "serve", "ingest", "rejects", "sources", "sources list"),
    *("sources add", "sources remove", "show", "withdraw", "reinstate", "status", "doctor"),
    *("backup", "restore", "export", "reindex", "reembed", "completion", "evaluate"),
    *("models", "models fetch", "browse", "names", "record", "record push"),
    *("saved", "dossier", "feeds", "feeds add", "feeds run"),
    *("user", "user add", "token", "token add", "audit", "check", "mcp"),
    *("evaluate retrieval", "evaluate answers", "evaluate extraction", "evaluate duplicates"),
)
