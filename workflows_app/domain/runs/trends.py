"""How a configuration's backups go: the states of its days, and what is usual for a policy. Pure.

A dry run or a restore is no backup and counts nowhere here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import quantiles

from workflows_app.domain.states import RunState

STRIP_DAYS = 30
SHOWN = 30
# What a backup is held against: as many completed ones before it, and no verdict from fewer than ENOUGH.
COMPARED = 30
ENOUGH = 10
HISTORY = SHOWN + COMPARED
# One in twenty lies outside p5-p95 by chance: a mark needs a difference that a person would act on, too.
SLOWER_BY = 0.2
SLOWER_BY_SECONDS = 10.0
SMALLER_BY = 0.1

WORST_FIRST = (
    RunState.ERROR,
    RunState.TIMED_OUT,
    RunState.TERMINATED,
    RunState.MISSED,
    RunState.UNKNOWN,
    RunState.CANCELLED,
    RunState.SKIPPED,
    RunState.RUNNING,
    RunState.QUEUED,
    RunState.COMPLETED,
)


@dataclass(frozen=True, slots=True)
class Day:
    """A day and how many backups that began on it are in which state; no state has a count of 0."""

    day: date
    counts: Mapping[RunState, int]

    @property
    def worst(self) -> RunState | None:
        """The worst state of the day's backups, None when there were none."""
        return next((state for state in WORST_FIRST if state in self.counts), None)

    @property
    def by_severity(self) -> tuple[tuple[RunState, int], ...]:
        """The counts, the worst state first."""
        return tuple((state, self.counts[state]) for state in WORST_FIRST if state in self.counts)


@dataclass(frozen=True, slots=True)
class Completed:
    """A completed backup: its run's number, how many seconds it took, its bytes (None: nobody told)."""

    number: int
    started: datetime
    seconds: float
    size: int | None

    @property
    def finished(self) -> datetime:
        """When it was complete."""
        return self.started + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Band:
    """What is usual: p5, median and p95 of ``count`` values, in their unit (seconds or bytes)."""

    low: float
    middle: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Point:
    """A completed backup beside what was usual before it; a band of None: too few to tell."""

    backup: Completed
    usual_seconds: Band | None
    usual_size: Band | None

    @property
    def slower(self) -> bool:
        """Whether it took longer than p95 of those before, by enough to be of interest."""
        usual, seconds = self.usual_seconds, self.backup.seconds
        if usual is None or seconds <= usual.high:
            return False
        return seconds - usual.middle >= max(SLOWER_BY * usual.middle, SLOWER_BY_SECONDS)

    @property
    def smaller(self) -> bool:
        """Whether it is smaller than p5 of those before, by enough to be of interest."""
        usual, size = self.usual_size, self.backup.size
        if usual is None or size is None or size >= usual.low:
            return False
        return usual.middle - size >= SMALLER_BY * usual.middle


@dataclass(frozen=True, slots=True)
class PolicyTrend:
    """The completed backups under one policy that are known, the oldest first.

    ``HISTORY`` of them are enough for all that is shown, ``COMPARED`` + 1 for the newest alone.
    """

    policy: str
    history: tuple[Completed, ...]

    @property
    def recent(self) -> tuple[Completed, ...]:
        """The last ``SHOWN`` backups, the oldest first."""
        return self.history[-SHOWN:]

    @property
    def points(self) -> tuple[Point, ...]:
        """The last ``SHOWN`` backups, each held against the ``COMPARED`` before it."""
        first = max(0, len(self.history) - SHOWN)
        return tuple(self._point(at) for at in range(first, len(self.history)))

    @property
    def newest(self) -> Point | None:
        """The last backup, held against the ``COMPARED`` before it; None when there is none."""
        return self._point(len(self.history) - 1) if self.history else None

    def _point(self, at: int) -> Point:
        before = self.history[max(0, at - COMPARED) : at]
        return Point(
            self.history[at],
            usual_seconds=band([earlier.seconds for earlier in before]),
            usual_size=band([earlier.size for earlier in before if earlier.size is not None]),
        )


@dataclass(frozen=True, slots=True)
class ConfigTrend:
    """The last ``STRIP_DAYS`` days of a configuration, the oldest first, and its policies in their order."""

    days: tuple[Day, ...]
    policies: tuple[PolicyTrend, ...]

    @property
    def current(self) -> PolicyTrend | None:
        """The policy of the last completed backup, None when none ever completed."""
        begun = [trend for trend in self.policies if trend.history]
        return max(begun, key=lambda trend: trend.history[-1].number, default=None)


def last_days(today: date) -> tuple[date, ...]:
    """Answer the days of a strip that ends ``today``, the oldest first."""
    return tuple(today - timedelta(days=ago) for ago in reversed(range(STRIP_DAYS)))


def band(values: Sequence[float]) -> Band | None:
    """Answer what is usual among ``values``, None when they are fewer than ``ENOUGH``."""
    if len(values) < ENOUGH:
        return None
    cuts = quantiles(values, n=20, method="inclusive")
    return Band(low=cuts[0], middle=cuts[9], high=cuts[-1], count=len(values))
