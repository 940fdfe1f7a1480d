"""Until when a configuration is protected: its newest restore point against what its schedules promise.

Pure. A restore point counts from when its backup began: what changed later is not in it. A schedule promises
that there will be a newer one soon after it is due next; until then the newest one protects. Only what was
seen in the storage's own list is evidence: what a run merely reported may be gone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2s
from itertools import islice

from workflows_app.domain.schedules.schedules import Timing

LEAST_ALLOWANCE = timedelta(minutes=1)
CLOCKS_DIFFER = timedelta(minutes=1)


class Promise(StrEnum):
    """What the schedules of a configuration promise.

    ``NONE``: it has none, ``PAUSED``: all are paused, ``DISABLED``: the configuration starts no backup,
    ``UNKNOWN``: nobody can tell, ``MADE``: at least one is at work.
    """

    MADE = "MADE"
    NONE = "NONE"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    UNKNOWN = "UNKNOWN"


class ProtectionState(StrEnum):
    """How protected something is.

    ``UNPROMISED`` has restore points, and no schedule that says how old the newest may be. ``EMPTY`` was
    backed up, and has no restore point (any more); ``NEVER`` was not backed up. ``UNKNOWN`` where the storage
    or Temporal does not tell.
    """

    PROTECTED = "PROTECTED"
    LAPSED = "LAPSED"
    UNPROMISED = "UNPROMISED"
    EMPTY = "EMPTY"
    NEVER = "NEVER"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class SeenPoint:
    """A restore point that was in the storage's list; ``made`` is when its backup began."""

    name: str
    policy: str
    made: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the restore points that exist.

    ``points`` were there at ``seen``, None while the storage was never looked at. ``trouble`` says why it
    could not be read since. ``reported`` is when the last backup that completed began, None where none did.
    """

    points: tuple[SeenPoint, ...] = ()
    seen: datetime | None = None
    trouble: str = ""
    reported: datetime | None = None

    @property
    def newest(self) -> SeenPoint | None:
        """The newest restore point that was seen."""
        return max(self.points, key=lambda point: point.made, default=None)

    def of(self, policy: str) -> "Evidence":
        """The same for the restore points of one policy."""
        return Evidence(
            tuple(point for point in self.points if point.policy == policy), self.seen, self.trouble
        )


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What the schedules of a configuration say, by policy: when those that are at work are due."""

    promise: Promise
    timings: Mapping[str, Sequence[Timing]]

    @property
    def all_timings(self) -> tuple[Timing, ...]:
        """Those of all policies."""
        return tuple(timing for timings in self.timings.values() for timing in timings)


@dataclass(frozen=True, slots=True)
class Protection:
    """How protected something is, and from what that follows.

    ``until`` is when it lapses, or has lapsed; None where nothing is promised or known. ``newest`` is the
    newest restore point, as it was seen at ``seen``. ``promise`` is why there is no ``until``.
    ``lapsed_policies`` have restore points of their own, of which the newest is older than their own
    schedules promise, whatever else there is.
    """

    state: ProtectionState
    until: datetime | None
    newest: SeenPoint | None
    seen: datetime | None
    trouble: str
    promise: Promise
    lapsed_policies: tuple[str, ...] = ()


def storage_mark(plugin: str, parameters: Mapping[str, str]) -> str:
    """Answer what tells one place for backups from another: it differs when anything of it is set anew."""
    text = json.dumps([plugin, parameters], sort_keys=True)
    return blake2s(text.encode(), digest_size=16).hexdigest()


def protection(
    evidence: Evidence, scheduled: Scheduled, durations: Mapping[str, timedelta], now: datetime
) -> Protection:
    """Answer how protected a configuration is at ``now``.

    ``durations`` is how long a backup under each policy is known to take: for so long after it is due no
    newer restore point can be expected.
    """
    newest = evidence.newest
    until = None
    if newest is not None and scheduled.promise is Promise.MADE:
        until = _until(newest.made, scheduled.timings, durations)
    lapsed = [
        policy
        for policy, timings in scheduled.timings.items()
        if _has_lapsed(evidence.of(policy).newest, policy, timings, durations, now)
    ]
    return Protection(
        state=_state(evidence, scheduled.promise, until, now),
        until=until,
        newest=newest,
        seen=evidence.seen,
        trouble=evidence.trouble,
        promise=scheduled.promise,
        lapsed_policies=tuple(lapsed),
    )


@lru_cache(maxsize=20_000)  # pages ask the same again every few seconds, for hundreds of configurations
def due_for(made: datetime, timing: Timing) -> datetime | None:
    """The moment at which ``timing`` expects a newer restore point to be begun than one made at ``made``.

    The clocks of a worker and of Temporal may differ: one that was made just before it was due, by its
    worker's clock, was made because it was due. None when it is never due again.
    """
    first, second = (*islice(timing.due_after(made), 2), None, None)[:2]
    if first is None or second is None:
        return first
    return second if first - made <= min(CLOCKS_DIFFER, (second - first) / 10) else first


def _until(
    made: datetime, timings: Mapping[str, Sequence[Timing]], durations: Mapping[str, timedelta]
) -> datetime | None:
    """When the first of the schedules has not kept its word."""
    ends = []
    for policy, each in timings.items():
        allowance = max(durations.get(policy, LEAST_ALLOWANCE), LEAST_ALLOWANCE)
        for timing in each:
            due = due_for(made, timing)
            if due is not None:
                ends.append(due + timedelta(seconds=timing.jitter_seconds) + allowance)
    return min(ends, default=None)


def _has_lapsed(
    newest: SeenPoint | None,
    policy: str,
    timings: Sequence[Timing],
    durations: Mapping[str, timedelta],
    now: datetime,
) -> bool:
    if newest is None:
        return False
    until = _until(newest.made, {policy: timings}, durations)
    return until is not None and until <= now


def _state(evidence: Evidence, promise: Promise, until: datetime | None, now: datetime) -> ProtectionState:
    if evidence.seen is None or evidence.trouble:
        never = evidence.reported is None and not evidence.trouble and not evidence.points
        return ProtectionState.NEVER if never else ProtectionState.UNKNOWN
    if not evidence.points:
        return ProtectionState.EMPTY if evidence.reported else ProtectionState.NEVER
    if promise is Promise.UNKNOWN:
        return ProtectionState.UNKNOWN
    if until is None:
        return ProtectionState.UNPROMISED
    return ProtectionState.PROTECTED if now < until else ProtectionState.LAPSED
