"""Measure the page in a browser: first paint, first answer, layout shift, and many people at once.

    python -m tests.benchmarks.page [--rounds R] [--people N]

The sample archive, extractive answers, the real server, Chromium. Each visit is a browser that has
seen nothing before; it paints, asks one question, and waits for what moves after the answer. Then N
people ask at once, each in a page of their own, and each must get the answer to their question
alone. Browser and server share the machine's cores. Exits with 1 above a ceiling.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page

from tests.benchmarks.asking import QUESTIONS, WATCH
from tests.browser.conftest import free_port, serve
from tests.support.chromium import open_browser
from tests.support.commands import environment

FIRST_PAINT, FIRST_ANSWER = 1200.0, 1500.0  # ms, ceilings
SHIFT = 0.05  # of the layout, after the first paint of an answer; .1 is what Web Vitals calls good
PROXY = "127.0.0.1"  # a client may ask three questions at a time: people need their own addresses
SETTLED = 1500  # ms after an answer, in which nothing may move
SHIFTS = """() => {
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
}"""
# Pages in the background draw no frames: the statement counts once the document has it.
WATCH_DOCUMENT = WATCH.replace("requestAnimationFrame(() =>", "(run => run())(() =>")
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


@dataclass(frozen=True)
class Visit:
    """Figures of one visit.

    Attributes:
        paint: Time to the first paint, in milliseconds from the request.
        answer: Time from Enter to the first statement on the screen, in milliseconds.
        loading: Layout shift while the page loads.
        shift: Layout shift after the first statement.
        said: The question and the answer's text, as shown.
    """

    paint: float
    answer: float
    loading: float
    shift: float
    said: tuple[str, str]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.page")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--people", type=int, default=20)
    options = parser.parse_args()
    backfile = [sys.executable, "-m", "ui.cli"]
    with tempfile.TemporaryDirectory() as folder:
        archive = ["--archive", str(Path(folder) / "archive")]
        subprocess.run([*backfile, "ingest", "--sample", *archive], env=environment(), check=True)
        command = ["env", f"BACKFILE_PROXIES={PROXY}", *backfile, "serve", *archive]
        command += ["--port", str(free_port())]
        with serve(command) as address, open_browser() as browser:
            visits = [visit(browser, address, one) for one in QUESTIONS * options.rounds]
            crowd = crowded(browser, address, options.people)
    alone = {one.said[0]: one.said[1] for one in visits}
    return report(visits, crowd, alone)


def visit(browser: Browser, address: str, question: str) -> Visit:
    """Open the page as a new visitor, ask, and return what was measured."""
    page = opened(browser, address)
    paint, loading = float(page.evaluate(PAINT)), float(page.evaluate("window.shift"))
    ask(page, question)
    took = answered(page)
    page.evaluate("window.shift = 0")
    page.wait_for_timeout(SETTLED)
    shift = float(page.evaluate("window.shift"))
    found = Visit(paint, took, loading, shift, said(page))
    page.context.close()
    return found


def crowded(browser: Browser, address: str, people: int) -> list[tuple[float, tuple[str, str]]]:
    """Have many people ask at once; return each one's time, question and answer."""
    pages = [opened(browser, address, WATCH_DOCUMENT, client=n) for n in range(people)]
    for number, page in enumerate(pages):
        page.locator("#bf-question textarea").fill(QUESTIONS[number % len(QUESTIONS)])
    for page in pages:
        page.locator("#bf-question textarea").press("Enter", no_wait_after=True)
    found = [(answered(page), said(page)) for page in pages]
    for page in pages:
        page.context.close()
    return found


def opened(browser: Browser, address: str, watch: str = WATCH, *, client: int = 0) -> Page:
    """Return the page of a new visitor, ready for a question; each client has an own address."""
    page = browser.new_context(
        viewport={"width": 1600, "height": 1000},
        extra_http_headers={"X-Forwarded-For": f"192.0.2.{client + 1}"},
    ).new_page()
    page.add_init_script(f"({SHIFTS})()")
    page.goto(address)
    page.locator("#bf-banner summary").wait_for()
    page.locator("#bf-question textarea").wait_for()
    page.evaluate(watch)
    return page


def ask(page: Page, question: str) -> None:
    """Type a question and press Enter."""
    box = page.locator("#bf-question textarea")
    box.fill(question)
    box.press("Enter")


def answered(page: Page) -> float:
    """Return the time from Enter to the first statement on the screen, once it is there."""
    page.wait_for_function("window.took > 0", timeout=180_000)
    return float(page.evaluate("window.took"))


def said(page: Page) -> tuple[str, str]:
    """Return the question and the finished answer of a page."""
    page.locator(".bf-turn[data-progress=done]").wait_for()
    answer = page.locator(".bf-turn .bf-answer").inner_text()
    return page.locator(".bf-turn .bf-asked").inner_text(), answer


def report(
    visits: Sequence[Visit],
    crowd: Sequence[tuple[float, tuple[str, str]]],
    alone: dict[str, str],
) -> int:
    """Print the figures; return the exit code."""
    paint, answer = [one.paint for one in visits], [one.answer for one in visits]
    shift = max(one.shift for one in visits)
    print(f"{len(visits)} visits, median and most:")
    print(f"  first paint {median(paint):.0f} ms, {max(paint):.0f} ms (ceiling {FIRST_PAINT:.0f})")
    print(f"  first answer after Enter {median(answer):.0f} ms, {max(answer):.0f} ms", end="")
    print(f" (ceiling {FIRST_ANSWER:.0f})")
    print(f"  layout shift after the first answer {shift:.3f} at most (ceiling {SHIFT})")
    print(f"  layout shift while loading {max(one.loading for one in visits):.3f} at most")
    took = [one for one, _ in crowd]
    own = sum(alone[question] == answer for _, (question, answer) in crowd)
    if crowd:
        print(
            f"{len(crowd)} people at once: first answer {median(took):.0f} ms in the median, ",
            end="",
        )
        print(f"{max(took):.0f} ms at the most; {own} of {len(crowd)} got their own answer")
    fast = median(paint) <= FIRST_PAINT and median(answer) <= FIRST_ANSWER
    return 0 if fast and shift <= SHIFT and own == len(crowd) else 1


if __name__ == "__main__":
    sys.exit(main())
