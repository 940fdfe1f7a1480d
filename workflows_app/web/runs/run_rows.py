"""A run as lists show it."""

from dataclasses import dataclass
from datetime import datetime

from workflows_app.domain import ansi
from workflows_app.services.runs.runs import RunSummary
from workflows_app.web.words.statuses import FROZEN, PERSON, RUN_STATUS, Status


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in a list. ``seconds`` is how long it took, None while it runs.

    ``more`` are further statuses: of a run whose application stands still, or that waits for a person.
    ``said`` is the last line of an open run, as a terminal would show it.
    """

    run: RunSummary
    status: Status
    seconds: float | None
    now: datetime
    more: tuple[Status, ...] = ()
    said: str = ""

    @property
    def open(self) -> bool:
        """Whether the run may still change."""
        return not self.run.state.closed


def run_row(run: RunSummary, now: datetime, said: str = "") -> RunRow:
    """Answer how a list shows ``run``, which said ``said`` last, at ``now``."""
    more = [PERSON] if run.waits else []
    more += [FROZEN] if run.frozen_since else []
    return RunRow(run, RUN_STATUS[run.state], run.seconds, now, tuple(more), ansi.render(said).text)
