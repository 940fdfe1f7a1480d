"""The states of runs and steps, as pages and records know them."""

from enum import StrEnum


class RunState(StrEnum):
    """What is known of a run; ``UNKNOWN`` when Temporal no longer has it and nobody saw it end.

    ``QUEUED`` waits for its configuration's lock and has not begun. ``SKIPPED`` and ``MISSED`` were expected
    by a schedule and never began: the lock was held (or the configuration disabled), or no worker was there
    in time.
    """

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"
    TERMINATED = "TERMINATED"
    TIMED_OUT = "TIMED_OUT"
    UNKNOWN = "UNKNOWN"
    QUEUED = "QUEUED"
    SKIPPED = "SKIPPED"
    MISSED = "MISSED"

    @property
    def closed(self) -> bool:
        """Whether the run will not change any more."""
        return self not in (RunState.RUNNING, RunState.QUEUED)


class StepState(StrEnum):
    """The state of a step on a page.

    ``PENDING`` was not reached yet, ``WAITING`` is scheduled but no worker has taken it, ``PAUSED`` has
    failed and waits for a person, ``SKIPPED`` was never reached because the run ended before it, or was
    passed over.
    """

    PENDING = "PENDING"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETE = "COMPLETE"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"
    SKIPPED = "SKIPPED"

    @property
    def ended(self) -> bool:
        """Whether the step ran and came to an end, good or bad."""
        return self in (StepState.COMPLETE, StepState.ERROR, StepState.CANCELLED, StepState.PAUSED)


class FreezeState(StrEnum):
    """What is known of an application that a run froze.

    ``FAILED`` is still frozen after somebody tried to thaw it, ``UNKNOWN`` when nobody saw how it ended.
    """

    NEVER = "NEVER"
    FROZEN = "FROZEN"
    THAWED = "THAWED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class CheckState(StrEnum):
    """What is known of a verification; ``LOST`` when it ended and nobody saw how."""

    RUNNING = "RUNNING"
    GOOD = "GOOD"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"
