"""How states look, the same everywhere."""

from dataclasses import dataclass

from workflows_app.domain.states import RunState, StepState


@dataclass(frozen=True, slots=True)
class Status:
    """A status as it looks everywhere: ``kind`` is its colour, ``icon`` its shape, ``word`` its name."""

    kind: str
    word: str
    icon: str


PENDING = Status("pending", "pending", "circle-dashed")
WAITING = Status("waiting", "waiting", "hourglass")
RUNNING = Status("running", "running", "loader-circle")
COMPLETE = Status("complete", "complete", "circle-check")
ERROR = Status("error", "error", "octagon-x")
PERSON = Status("person", "waiting for a person", "hand")
CANCELLED = Status("cancelled", "cancelled", "ban")
FROZEN = Status("frozen", "frozen", "snowflake")
UNKNOWN = Status("unknown", "unknown", "circle-question-mark")
SKIPPED = Status("skipped", "not run", "circle-slash-2")

RUN_STATUS = {
    RunState.RUNNING: RUNNING,
    RunState.COMPLETED: COMPLETE,
    RunState.ERROR: ERROR,
    RunState.CANCELLED: CANCELLED,
    RunState.TERMINATED: Status("error", "terminated", "octagon-x"),
    RunState.TIMED_OUT: Status("error", "timed out", "octagon-x"),
    RunState.UNKNOWN: UNKNOWN,
    RunState.QUEUED: Status("waiting", "queued", "hourglass"),
    RunState.SKIPPED: Status("cancelled", "skipped", "skip-forward"),
    RunState.MISSED: Status("error", "missed", "alarm-clock-off"),
}
STEP_STATUS = {
    StepState.PENDING: PENDING,
    StepState.WAITING: WAITING,
    StepState.RUNNING: RUNNING,
    StepState.PAUSED: PERSON,
    StepState.COMPLETE: COMPLETE,
    StepState.ERROR: ERROR,
    StepState.CANCELLED: CANCELLED,
    StepState.SKIPPED: SKIPPED,
}
