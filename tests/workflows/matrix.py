"""What must become of a backup when one of its steps fails: every step, in every way."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.factories import make_config
from workflows_app.domain.plans.plans import backup_plan
from workflows_app.domain.states import FreezeState, RunState, StepState

DOCUMENT = Path(__file__).parents[2] / "docs" / "matrix.md"

PLAN = backup_plan(make_config())
KEYS = [step.key for step in PLAN.steps]
UNDONE_BY = {
    "quiesce-command": "unquiesce-command",
    "quiesce-plugin": "unquiesce-plugin",
    "mount-plugin": "unmount-plugin",
}
NOTICE = "send-trap-error-command"

LETTERS = dict(zip((*UNDONE_BY.values(), NOTICE), "CPMN", strict=True))


class Kind(StrEnum):
    """How a step fails, or is made to."""

    SAYS_NO = "says no"
    CRASHES = "crashes"
    TAKES_TOO_LONG = "takes too long"
    WORKER_LOST = "worker lost"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Outcome:
    """What must have been done in the run, in order, and what must be known of it at the end.

    ``undone`` is what was taken to undo, and the notice; ``step`` is the state of the step in question.
    """

    done: tuple[str, ...]
    undone: tuple[str, ...]
    state: RunState
    step: StepState
    freeze: FreezeState

    @property
    def cell(self) -> str:
        """The outcome in the table of ``docs/matrix.md``."""
        letters = [LETTERS[key] for key in self.undone]
        return " ".join((self.state.value, *letters)) if letters else "again"


def outcome(kind: Kind, key: str) -> Outcome:
    """What must come of it when the step ``key`` fails once."""
    place = KEYS.index(key)
    reached = KEYS[: place + 1]
    frozen = "quiesce-command" in reached
    if key in UNDONE_BY.values() and kind in (Kind.CRASHES, Kind.TAKES_TOO_LONG, Kind.WORKER_LOST):
        # What undoes is tried by Temporal until it answers, and the run goes on.
        done = (*reached, key, *KEYS[place + 1 :])
        return Outcome(done, (), RunState.COMPLETED, StepState.COMPLETE, FreezeState.THAWED)
    owed = [undo for begun, undo in UNDONE_BY.items() if begun in reached and undo not in KEYS[:place]]
    undone = (*owed, NOTICE)
    cancelled = kind is Kind.CANCELLED
    return Outcome(
        (*reached, *(f"undo {undo}" for undo in undone)),
        undone,
        RunState.CANCELLED if cancelled else RunState.ERROR,
        StepState.CANCELLED if cancelled else StepState.ERROR,
        FreezeState.THAWED if frozen else FreezeState.NEVER,
    )


def document() -> str:
    """The text of ``docs/matrix.md``."""
    rows = [
        ["Step", *Kind],
        ["---"] * (len(Kind) + 1),
        *([f"`{key}`", *(outcome(kind, key).cell for kind in Kind)] for key in KEYS),
    ]
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows) + FOOT


HEAD = """# What happens when a step fails

Each of the 21 steps of a backup, in Fossul's order, fails in five ways. `tests/workflows/test_matrix.py` runs
every case on a real Temporal server, holds it against this table, and writes this file (`WRITE_MATRIX=1`).

- A cell has the state in which the run ends, and what is undone, each exactly once and in this order:
  **C** unquiesce command, **P** unquiesce plugin, **M** unmount, and **N**, the error notice.
- *again*: a step that undoes is tried until it answers; the run goes on and ends `COMPLETED`.
- In every case the application is thawed, nothing stays mounted, and the watchdog ends without having done
  anything.

"""

FOOT = """
- *says no*: the step answers a failure.
- *crashes*: its code breaks.
- *takes too long*: its timeout ends it.
- *worker lost*: no sign of life within its heartbeat. `tests/workflows/test_killed_worker.py` kills real
  worker processes in the middle of steps.
- *cancelled*: a person cancels the run meanwhile; the step is waited for before anything is undone.

What the watchdog does when the run itself does not undo: `test_watchdog.py` and `test_long_waits.py` there.
"""
