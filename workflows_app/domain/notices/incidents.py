"""What of the facts is an incident: something that a person is told of once, and again when it is over.

Pure. An incident has a key, and while it lasts the same facts give the same key: so there is one alert for
it, however often it is looked at. What is not known neither begins an incident nor ends one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from workflows_app.domain.durations import in_words
from workflows_app.domain.states import RunState

OVERDUE_AFTER = timedelta(minutes=5)
"""What a worker takes late, but within this time, nobody need be told of."""
THAW_AFTER = timedelta(minutes=1)
"""So long after a run has closed its watchdog may still be at work."""
QUIET_AFTER = timedelta(hours=1)
"""Something that comes and goes is told of at most once in this time."""

BAD = (RunState.ERROR, RunState.TIMED_OUT, RunState.TERMINATED, RunState.UNKNOWN)
"""How a run fails; one that a person cancelled says nothing, neither good nor bad."""


class IncidentKind(StrEnum):
    """What may be wrong; the values are the words of the webhook."""

    FAILED = "failed"
    FROZEN = "frozen"
    WAITING = "waiting"
    OVERDUE = "overdue"
    MISSED = "missed"
    SKIPPED = "skipped"
    UNPROTECTED = "unprotected"
    DAMAGED = "damaged"
    MISSING = "missing"


ENDS = {
    IncidentKind.FAILED: "A later run went well.",
    IncidentKind.FROZEN: "The application was thawed, or a later backup went well.",
    IncidentKind.WAITING: "The run waits for nobody any more.",
    IncidentKind.OVERDUE: "A worker has taken it, or it is not due any more.",
    IncidentKind.MISSED: "A later backup went well.",
    IncidentKind.SKIPPED: "A later backup went well.",
    IncidentKind.UNPROTECTED: "There is a new restore point, or the schedules promise less.",
    IncidentKind.DAMAGED: "A later verification went well, or the backup was deleted.",
    IncidentKind.MISSING: "The storage has it, or a newer backup.",
}
"""Why an incident of each kind is over when its facts are gone."""
GONE = "There is no configuration of that name any more."


@dataclass(frozen=True, slots=True)
class RunFact:
    """A run as far as it matters here. ``reason`` is why it failed, or waits.

    ``frozen_since`` is set while what it froze has not been thawed, ``freeze_budget`` how long that may be.
    """

    number: int
    type: str
    state: RunState
    started: datetime
    finished: datetime | None = None
    reason: str = ""
    policy: str = ""
    frozen_since: datetime | None = None
    freeze_budget: timedelta = timedelta(hours=4)
    thaw_failed: bool = False
    waits_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlaceFacts:
    """What is known of one configuration.

    ``bad`` and ``good`` are its last runs that failed and that completed, the newest of each type;
    ``never_began`` its newest scheduled runs that were missed or skipped. ``unsettled`` are the open runs,
    and closed ones that left something frozen. ``overdue`` is since when a run is due that nobody takes.
    ``lapsed`` is when its protection ended, ``lapsed_policies`` the policies whose own did. ``damaged`` are
    backups whose verification failed, with why; ``missing`` backups that the storage lost.
    """

    profile: str
    config: str
    bad: tuple[RunFact, ...] = ()
    good: tuple[RunFact, ...] = ()
    never_began: tuple[RunFact, ...] = ()
    unsettled: tuple[RunFact, ...] = ()
    overdue: datetime | None = None
    lapsed: datetime | None = None
    lapsed_policies: tuple[str, ...] = ()
    damaged: Mapping[str, str] | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that is wrong with a configuration. ``detail`` tells several of a kind from each other.

    ``reason`` is a sentence for the person who is told, ``since`` when it began, ``run`` the run that shows
    it.
    """

    kind: IncidentKind
    profile: str
    config: str
    reason: str
    since: datetime
    run: int | None = None
    detail: str = ""

    @property
    def key(self) -> str:
        """What is the same as long as it is the same incident."""
        return "/".join(part for part in (self.kind.value, self.profile, self.config, self.detail) if part)


def find_incidents(facts: Iterable[PlaceFacts], now: datetime) -> tuple[Incident, ...]:
    """Answer everything that is wrong at ``now``, each thing once."""
    return tuple(incident for place in facts for incident in _of_place(place, now))


def _of_place(place: PlaceFacts, now: datetime) -> Iterator[Incident]:
    yield from _failed(place)
    yield from _never_began(place)
    yield from _unsettled(place, now)
    where = (place.profile, place.config)
    if place.overdue is not None and now - place.overdue >= OVERDUE_AFTER:
        late = in_words((now - place.overdue).total_seconds())
        words = f"A backup was due {late} ago and no worker has taken it."
        yield Incident(IncidentKind.OVERDUE, *where, words, place.overdue)
    if place.lapsed is not None and place.lapsed <= now:
        ago = in_words((now - place.lapsed).total_seconds())
        words = f"Its newest restore point is older than its schedules promise, since {ago}."
        yield Incident(IncidentKind.UNPROTECTED, *where, words, place.lapsed)
    elif place.lapsed_policies:
        names = ", ".join(sorted(place.lapsed_policies))
        words = f"The newest restore point of {names} is older than its schedule promises."
        yield Incident(IncidentKind.UNPROTECTED, *where, words, now)
    for backup, why in sorted((place.damaged or {}).items()):
        words = f"The verification of {backup} failed: {why}"
        yield Incident(IncidentKind.DAMAGED, *where, words, now, detail=backup)
    for backup in place.missing:
        words = f"The backup {backup} was made, nobody deleted it, and the storage does not have it."
        yield Incident(IncidentKind.MISSING, *where, words, now, detail=backup)


def _failed(place: PlaceFacts) -> Iterator[Incident]:
    """A failed run that no later good run of its type follows."""
    good = {run.type: run.number for run in place.good}
    for run in place.bad:
        if run.number > good.get(run.type, 0):
            how = {
                RunState.TERMINATED: "was terminated",
                RunState.TIMED_OUT: "took too long and was ended",
                RunState.UNKNOWN: "ended and nobody saw how",
            }.get(run.state, "failed")
            words = f"The {run.type} {how}: {run.reason}" if run.reason else f"The {run.type} {how}."
            since = run.finished or run.started
            yield Incident(
                IncidentKind.FAILED, place.profile, place.config, words, since, run.number, run.type
            )


def _never_began(place: PlaceFacts) -> Iterator[Incident]:
    """A scheduled run that never began, until a later one of the configuration goes well."""
    good = max((run.started for run in place.good if run.type == "backup"), default=None)
    for run in place.never_began:
        if good is not None and good > run.started:
            continue
        kind = IncidentKind.MISSED if run.state is RunState.MISSED else IncidentKind.SKIPPED
        words = (
            f"A scheduled backup was {kind}: {run.reason}"
            if run.reason
            else f"A scheduled backup was {kind}."
        )
        yield Incident(kind, place.profile, place.config, words, run.started, run.number)


def _unsettled(place: PlaceFacts, now: datetime) -> Iterator[Incident]:
    for run in place.unsettled:
        where = (place.profile, place.config)
        if run.waits_until is not None and run.finished is None:
            rest = in_words(max(0.0, (run.waits_until - now).total_seconds()))
            words = f"The {run.type} waits for a person to decide, for {rest} more. {run.reason}".strip()
            yield Incident(IncidentKind.WAITING, *where, words, now, run.number, str(run.number))
        if run.frozen_since is not None and _stands_too_long(run, now):
            frozen = in_words((now - run.frozen_since).total_seconds())
            failed = " Thawing it failed." if run.thaw_failed else ""
            words = f"The application has stood frozen for {frozen}.{failed}"
            yield Incident(IncidentKind.FROZEN, *where, words, run.frozen_since, run.number, str(run.number))


def _stands_too_long(run: RunFact, now: datetime) -> bool:
    if run.frozen_since is None:
        return False
    closed_long_ago = run.finished is not None and now - run.finished >= THAW_AFTER
    return run.thaw_failed or closed_long_ago or now - run.frozen_since > run.freeze_budget


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look has found: incidents that begin, that go on, and the keys of those that are over."""

    opened: tuple[Incident, ...]
    ongoing: tuple[Incident, ...]
    over: tuple[str, ...]


Subject = tuple[IncidentKind, str, str]
"""A kind of incident, and of which configuration: (kind, profile, configuration)."""


def compare(
    known: Mapping[str, Subject],
    found: Iterable[Incident],
    looked: Collection[IncidentKind],
    unclear: Collection[Subject] = (),
) -> Changes:
    """Hold what is ``found`` against the open incidents that are ``known``, by key.

    Only the kinds that were ``looked`` at are judged, and of those not what was ``unclear``: of the others
    nothing begins and nothing ends.
    """

    def judges(subject: Subject) -> bool:
        return subject[0] in looked and subject not in unclear

    judged = {one.key: one for one in found if judges((one.kind, one.profile, one.config))}
    return Changes(
        opened=tuple(incident for key, incident in judged.items() if key not in known),
        ongoing=tuple(incident for key, incident in judged.items() if key in known),
        over=tuple(key for key, subject in known.items() if judges(subject) and key not in judged),
    )


class Turn(StrEnum):
    """What is to be said of an incident now."""

    ALERT = "alert"
    REMINDER = "reminder"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of an incident: when it was last alerted of, and whether its end was told since."""

    last: datetime | None = None
    ended: bool = True


def next_turn(told: Told, *, lasts: bool, now: datetime, remind_after: timedelta) -> Turn | None:
    """Answer what is to be said at ``now`` of an incident that ``lasts`` or is over; None for nothing.

    Alert and recovery take turns, so that who reads them always ends up with the truth. What comes and goes
    is alerted of at most every ``QUIET_AFTER``; what stays is called to mind every ``remind_after``.
    """
    if not lasts:
        return None if told.ended else Turn.RECOVERY
    if told.last is None:
        return Turn.ALERT
    if told.ended:
        return Turn.ALERT if now - told.last >= QUIET_AFTER else None
    return Turn.REMINDER if now - told.last >= remind_after else None
