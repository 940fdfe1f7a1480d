"""The run page beside Temporal's own page of the same run: first load, and how soon a step's end is seen."""

import json
import re
import sys
import tempfile
import urllib.parse
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page

from tests.bench.browser import chromium, first_load, signed_in
from tests.bench.product import Product, Visitor, product
from tests.bench.table import BYTES, COUNT, SECONDS, Row, show, show_head
from tests.browser.conftest import free_port

STEP_SECONDS = 1.0
FIELDS = (
    "preAppQuiesceCmd", "postAppQuiesceCmd", "backupCreateCmd", "preAppUnquiesceCmd", "postAppUnquiesceCmd",
    "archiveCreateCmd", "archiveDeleteCmd", "backupDeleteCmd",
)  # fmt: skip
MOST_BYTES = 150_000
MOST_REQUESTS = 15

# A step: it waits for whoever looks, takes its time, and writes down when it ends.
STEP = f"""\
import os, sys, time
while not os.path.exists(sys.argv[1] + ".go"):
    time.sleep(0.02)
time.sleep({STEP_SECONDS})
open(sys.argv[1], "a").write(f"{{time.time()}}\\n")
"""

# Notes when the page shows one step more as complete: when it is painted, not when it is in the document.
WATCH = """(count) => {
  window.seen = [];
  let most = count();
  new MutationObserver(() => {
    const now = count();
    if (now > most) {
      most = now;
      requestAnimationFrame(() => setTimeout(() => {
        window.seen.push([now, (performance.timeOrigin + performance.now()) / 1000]);
      }));
    }
  }).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
}"""
OURS = "() => document.querySelectorAll('#run-steps .step.is-complete').length"
THEIRS = "() => document.body.textContent.split('Activity Task Completed').length - 1"


def start(board: Product, visitor: Visitor, folder: Path, name: str) -> tuple[int, str, str]:
    """Start a run whose steps write their ends into ``folder/name``; answer number, workflow and run id."""
    command = f"{sys.executable},-I,-S,{folder}/step.py,{folder}/{name}"
    settings = json.dumps(dict.fromkeys(FIELDS, command))
    board.seed(f"config('bench', {name!r}, {settings!r})")
    where = visitor.post(f"/profiles/bench/{name}/daily/run/")
    number = int(re.findall(r"\d+", where)[-1])
    workflow, run = board.rows("SELECT workflow_id, run_id FROM workflows_app_run WHERE id = ?", number)[0]
    return number, workflow, run


def temporal_page(ui: int, workflow: str, run: str) -> str:
    """The address of Temporal's own page of a run."""
    name = urllib.parse.quote(workflow, safe="")
    return f"http://127.0.0.1:{ui}/namespaces/default/workflows/{name}/{run}/history"


def delays(page: Page, ends: list[float]) -> list[float]:
    """How long after its end each step was seen to have ended, in seconds."""
    seen = page.evaluate("window.seen")
    # Words of the page itself may look like a step that has ended: they were there before.
    offset = seen[-1][0] - len(ends)
    return [
        next(time for count, time in seen if count - offset >= step) - end
        for step, end in enumerate(ends, start=1)
    ]


def measure(board: Product, browser: Browser, ui: int, folder: Path) -> None:
    """Print the rows."""
    visitor = Visitor(board)
    ours, theirs = signed_in(browser, board), browser.new_context().new_page()

    (folder / "first.go").touch()
    number, workflow, run = start(board, visitor, folder, "first")
    mine, other = first_load(ours, f"/runs/{number}/"), first_load(theirs, temporal_page(ui, workflow, run))
    show(Row("bytes of a first load", mine.bytes, other.bytes, BYTES, most=MOST_BYTES))
    show(Row("requests of a first load", mine.requests, other.requests, COUNT, most=MOST_REQUESTS))

    number, workflow, run = start(board, visitor, folder, "second")
    ours.goto(f"/runs/{number}/")
    theirs.goto(temporal_page(ui, workflow, run))
    ours.wait_for_selector("#live[data-state=live]")
    theirs.get_by_text("Workflow Execution Started").first.wait_for()
    for page, count in ((ours, OURS), (theirs, THEIRS)):
        page.evaluate(f"({WATCH})({count})")
    (folder / "second.go").touch()
    ours.wait_for_selector("#run-header[data-status=complete]", timeout=60_000)
    ends = [float(line) for line in (folder / "second").read_text().split()]
    theirs.wait_for_function("(most) => window.seen.length && window.seen.at(-1)[0] >= most", arg=len(ends))
    here, there = delays(ours, ends), delays(theirs, ends)
    show(Row("a step's end until it is painted, median", median(here), median(there), SECONDS, most_ratio=1))
    show(Row("a step's end until it is painted, longest", max(here), max(there), SECONDS, most_ratio=1))


def main() -> None:
    """Measure both pages in one browser, of one server."""
    show_head("load: the run page / Temporal's own page of the same run")
    ui = free_port()
    with product(ui) as board, tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        (folder / "step.py").write_text(STEP)
        measure(board, browser, ui, folder)


if __name__ == "__main__":
    main()
