"""Measure the time from Enter to the first statement on the screen of a browser.

    python -m tests.benchmarks.asking [--rounds R]

The sample archive, extractive answers, the real server, Chromium; each question in a browser that
has asked nothing before, timed in the browser: from the key to the frame after the statement is
there.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from tests.browser.conftest import free_port, serve
from tests.support.chromium import open_browser
from tests.support.commands import environment

QUESTIONS = (
    "What did South Korea threaten?",
    "How many soldiers has North Korea sent to Russia?",
    "When was the treaty signed?",
    "What did the Pope say?",
    "Who met in Seoul?",
)
WATCH = """() => {
  const box = document.querySelector('#bf-question textarea');
  box.addEventListener('keydown', () => { window.begun = performance.now(); }, {capture: true});
  new MutationObserver(() => {
    if (window.took || !document.querySelector('.bf-statement, .bf-refused')) return;
    window.took = -1;
    requestAnimationFrame(() => setTimeout(() => { window.took = performance.now() - begun; }));
  }).observe(document.body, {subtree: true, childList: true});
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    backfile = [sys.executable, "-m", "ui.cli"]
    with tempfile.TemporaryDirectory() as folder:
        archive = ["--archive", str(Path(folder) / "archive")]
        subprocess.run([*backfile, "ingest", "--sample", *archive], env=environment(), check=True)
        command = [*backfile, "serve", "--port", str(free_port()), *archive]
        with serve(command) as address, open_browser() as browser:
            took = sorted(
                milliseconds(browser, address, question)
                for _ in range(options.rounds)
                for question in QUESTIONS
            )
    print(
        f"{len(took)} questions: first statement on the screen {median(took):.0f} ms after Enter "
        f"in the median, {took[-1]:.0f} ms at the most"
    )


def milliseconds(browser: Browser, address: str, question: str) -> float:
    """Ask as a new visitor, and return how long the first statement took."""
    page = browser.new_context().new_page()
    page.goto(address)
    page.locator("#bf-banner summary").wait_for()
    page.evaluate(WATCH)
    box = page.locator("#bf-question textarea")
    box.fill(question)
    box.press("Enter")
    page.wait_for_function("window.took > 0")
    took: float = page.evaluate("window.took")
    page.context.close()
    return took


if __name__ == "__main__":
    main()
