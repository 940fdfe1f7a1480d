"""The live log: how soon a printed line is painted with one viewer and with many, and how long logs open."""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.bench.browser import chromium, signed_in
from tests.bench.product import Product, Visitor, product
from tests.bench.programs import cpu_seconds
from tests.bench.table import CPU, SECONDS, Row, show, show_head
from tests.bench.timing import medians, percentile, scale
from tests.browser.conftest import ROOT

VIEWERS = scale("VIEWERS", 200)
STAMPS = scale("STAMPS", 60)
FEW = 100
MANY = scale("LINES", 100_000)
PATIENCE_SECONDS = 120
ROUNDS = scale("LOG_ROUNDS", 7)

# A step that prints the time, four times a second and never in step with anything else.
CLOCK = f"""\
import os, random, sys, time
while not os.path.exists(sys.argv[1]):
    time.sleep(0.02)
for number in range({STAMPS}):
    time.sleep(random.uniform(0.15, 0.35))
    print(f"stamp {{time.time()}}", flush=True)
time.sleep(2)
"""

# Notes how old each line is when it is painted.
WATCH = """() => {
  window.ages = [];
  new MutationObserver((changes) => {
    const stamps = changes
      .flatMap((change) => [...change.addedNodes])
      .flatMap((node) => [...(node.textContent ?? "").matchAll(/stamp (\\d+\\.\\d+)/g)])
      .map((match) => Number(match[1]));
    requestAnimationFrame(() => setTimeout(() => {
      const now = (performance.timeOrigin + performance.now()) / 1000;
      window.ages.push(...stamps.map((stamp) => now - stamp));
    }));
  }).observe(document.getElementById("log"), {subtree: true, childList: true});
}"""


@dataclass(frozen=True)
class Seen:
    """What one run's viewing took: seconds from printed to painted, the web process's share of a CPU."""

    ages: list[float]
    cpu: float


def watch(board: Product, visitor: Visitor, page: Page, gate: Path, viewers: int) -> Seen:
    """Run the clock before a browser and ``viewers - 1`` other pages."""
    gate.unlink(missing_ok=True)
    where = visitor.post("/profiles/bench/clock/daily/run/")
    number = int(re.findall(r"\d+", where)[-1])
    page.goto(f"/runs/{number}/")
    page.wait_for_selector("#live[data-state=live]")
    page.evaluate(f"({WATCH})()")
    with crowd(board, visitor, number, viewers - 1):
        web = board.pid("web")
        used, begun = cpu_seconds(web), time.monotonic()
        gate.touch()
        end = begun + PATIENCE_SECONDS
        # The page's policy forbids Playwright's own way to wait, which evaluates text.
        while page.evaluate("window.ages.length") < STAMPS:
            if time.monotonic() > end:
                raise RuntimeError(f"only {page.evaluate('window.ages.length')} of {STAMPS} lines came")
            page.wait_for_timeout(500)
        cpu = (cpu_seconds(web) - used) / (time.monotonic() - begun)
        ages = page.evaluate("window.ages")
        page.wait_for_selector("#run-header[data-status=complete]", timeout=60_000)
    return Seen(ages, cpu)


@contextmanager
def crowd(board: Product, visitor: Visitor, number: int, count: int) -> Iterator[None]:
    """So many pages more, of another process. Raises RuntimeError unless they see the run to its end."""
    if not count:
        yield
        return
    address = f"{board.url.replace('http', 'ws', 1)}/ws/runs/{number}/"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.viewers", address, visitor.cookie, str(count)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the viewers could not look on")
        yield
        if process.wait(60) or int(process.stdout.read()) < count * STAMPS / 10:
            raise RuntimeError("the viewers did not see the run to its end")
    finally:
        process.kill()
        process.wait()


def show_latency(board: Product, visitor: Visitor, page: Page, folder: Path) -> None:
    """Print the rows of lines that are painted."""
    (folder / "clock.py").write_text(CLOCK)
    settings = {"preAppQuiesceCmd": f"{sys.executable},-I,-S,{folder}/clock.py,{folder}/go"}
    board.seed(f"config('bench', 'clock', {json.dumps(settings)!r})")
    one = watch(board, visitor, page, folder / "go", 1)
    many = watch(board, visitor, page, folder / "go", VIEWERS)
    for percent in (50, 95):
        pair = percentile(many.ages, percent), percentile(one.ages, percent)
        show(Row(f"printed to painted, p{percent}, {VIEWERS} viewers / 1", *pair, SECONDS))
    show(Row(f"CPU of the web process, {VIEWERS} viewers / 1", many.cpu, one.cpu, CPU))
    show(Row("  … for each viewer more", (many.cpu - one.cpu) / (VIEWERS - 1), None, CPU))


def show_lengths(board: Product, visitor: Visitor, page: Page) -> None:
    """Print the rows of long logs."""
    few, many = (int(board.seed(f"lines({count})")) for count in (FEW, MANY))
    opened = medians(ROUNDS, {run: partial(_open, page, run) for run in (few, many)})
    show(Row("the run page, opened in the browser", opened[many], opened[few], SECONDS))
    for what, path in (
        ("the run page, as the server answers it", "/runs/{}/"),
        ("a page of hits of a rare word", "/runs/{}/log/?q=needle"),
        ("a page of hits of a common word", "/runs/{}/log/?q=dat"),
        ("a search without a hit", "/runs/{}/log/?q=nowhere"),
    ):
        paths = {run: path.format(run) for run in (few, many)}
        asked = medians(ROUNDS, {run: partial(visitor.get, path) for run, path in paths.items()})
        show(Row(what, asked[many], asked[few], SECONDS))


def _open(page: Page, number: int) -> None:
    page.goto(f"/runs/{number}/", wait_until="load")
    page.wait_for_selector("#log .lines > li")


def measure(board: Product, browser: Browser, folder: Path) -> None:
    """Print all rows."""
    visitor, page = Visitor(board), signed_in(browser, board)
    show_latency(board, visitor, page, folder)
    show_lengths(board, visitor, page)


def main() -> None:
    """Measure on a dashboard of its own."""
    show_head(f"log: {STAMPS} lines live, and a log of {MANY:,} lines / one of {FEW}; medians of {ROUNDS}")
    with product() as board, tempfile.TemporaryDirectory() as name, chromium() as browser:
        measure(board, browser, Path(name))


if __name__ == "__main__":
    main()
