"""How all runs are, in a few words: for the title and the icon of pages that list them."""

from collections.abc import Iterable
from dataclasses import dataclass

from workflows_app.domain.states import RunState
from workflows_app.services.people.permissions import Actor
from workflows_app.services.runs import runs
from workflows_app.services.runs.runs import RunSummary

FAILED = {RunState.ERROR, RunState.TERMINATED, RunState.TIMED_OUT, RunState.UNKNOWN, RunState.MISSED}


@dataclass(frozen=True, slots=True)
class ListStatus:
    """How many runs are open; of how many configurations the last run failed, waits or left one frozen."""

    running: int
    failed: int = 0
    waiting: int = 0
    frozen: int = 0

    @property
    def icon(self) -> str:
        """What the page's icon says: the worst of it."""
        if self.failed or self.frozen:
            return "error"
        return "person" if self.waiting else "running" if self.running else ""

    @property
    def words(self) -> str:
        """All of it, the worst first."""
        return ", ".join(self._parts(("", "", "", ""))) or "nothing runs"

    @property
    def title(self) -> str:
        """What comes before the page's name in its title, with a mark for each; empty when nothing runs."""
        return "".join(f"{part} · " for part in self._parts(("❄ ", "✗ ", "! ", "● ")))

    def _parts(self, marks: tuple[str, str, str, str]) -> Iterable[str]:
        counts = (self.frozen, self.failed, self.waiting, self.running)
        for mark, count, word in zip(marks, counts, ("frozen", "failed", "waiting", "running"), strict=True):
            if count:
                yield f"{mark}{count} {word}"


def list_status(actor: Actor) -> ListStatus:
    """Answer how all runs are now. Raises NotAllowed."""
    running = runs.list_runs(actor, open_only=True, per_page=1).total
    return status_of_runs(runs.latest_runs(actor).values(), running)


def status_of_runs(latest: Iterable[RunSummary], running: int) -> ListStatus:
    """Answer it from the last run of each configuration, and how many runs are open."""
    latest = tuple(latest)
    return ListStatus(
        running=running,
        failed=sum(run.state in FAILED for run in latest),
        waiting=sum(run.waits for run in latest),
        # A running backup has its application frozen on purpose: only what stays so is an alarm.
        frozen=sum(run.frozen_since is not None and (run.state.closed or run.thaw_failed) for run in latest),
    )
