"""The facts that incidents follow from: what the record of runs tells, and what Temporal and the storages do.

The record is asked every few seconds and so by its indexes alone; the rest now and then.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import Exists, F, OuterRef, Subquery

from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.domain.notices.incidents import BAD, IncidentKind, PlaceFacts, RunFact, Subject
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.runs.protection import ProtectionState
from workflows_app.domain.states import CheckState, RunState
from workflows_app.models import BackupConfig, Catalogue, Removal, Run, Verification
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import GROUP_RIGHTS, Actor
from workflows_app.services.protection import trends
from workflows_app.services.protection.protection import Outlook, list_outlooks
from workflows_app.services.protection.trends import Place
from workflows_app.services.schedules.schedule_lists import find_overdue, known_schedules

NOTIFIER = Actor("notifier", GROUP_RIGHTS["viewer"])
RECORDED = frozenset(
    {
        IncidentKind.FAILED,
        IncidentKind.FROZEN,
        IncidentKind.WAITING,
        IncidentKind.MISSED,
        IncidentKind.SKIPPED,
        IncidentKind.DAMAGED,
    }
)
"""The kinds that the record of runs tells of by itself."""

_OUTCOMES = {
    **{("backup", state): f"backup_{state.value.lower()}" for state in (RunState.COMPLETED, *BAD)},
    **{("restore", state): f"restore_{state.value.lower()}" for state in (RunState.COMPLETED, *BAD)},
    ("backup", RunState.MISSED): "backup_missed",
    ("backup", RunState.SKIPPED): "backup_skipped",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What Temporal and the storages tell of all configurations.

    ``overdue`` is since when each is due, ``outlooks`` is how protected each is; ``missing`` are the backups
    that a storage lost. ``unclear`` is of what nothing is known.
    """

    overdue: Mapping[Place, datetime]
    outlooks: Mapping[Place, Outlook]
    missing: Mapping[Place, tuple[str, ...]]
    unclear: frozenset[Subject]


def recorded_facts() -> dict[Place, PlaceFacts]:
    """Answer what the record tells of each configuration that there is."""
    drop_broken_connections()
    newest = {name: _newest(*outcome) for outcome, name in _OUTCOMES.items()}
    rows: list[dict[str, Any]] = [
        dict(row) for row in BackupConfig.objects.order_by().values("profile__name", "name", **newest)
    ]
    runs = _runs_of(rows)
    unsettled = _unsettled()
    damaged = _damaged()
    facts = {}
    for row in rows:
        place = (row["profile__name"], row["name"])
        last = {outcome: runs[number] for outcome, name in _OUTCOMES.items() if (number := row[name]) in runs}
        bad = _newest_of_each(run for (_, state), run in last.items() if state in BAD)
        good = tuple(run for (_, state), run in last.items() if state is RunState.COMPLETED)
        backups = {run.number for run in good}
        left = [run for run in bad if run.frozen_since and run.number > max(backups, default=0)]
        open_runs = unsettled.get(place, ())
        facts[place] = PlaceFacts(
            *place,
            bad=bad,
            good=good,
            never_began=tuple(
                run for (_, state), run in last.items() if state in (RunState.MISSED, RunState.SKIPPED)
            ),
            unsettled=tuple({run.number: run for run in (*left, *open_runs)}.values()),
            damaged=damaged.get(place),
        )
    return facts


def with_surroundings(facts: Mapping[Place, PlaceFacts], around: Surroundings) -> tuple[PlaceFacts, ...]:
    """Answer the facts of the record with what Temporal and the storages tell."""
    return tuple(_with(fact, place, around) for place, fact in facts.items())


def _with(fact: PlaceFacts, place: Place, around: Surroundings) -> PlaceFacts:
    outlook = around.outlooks.get(place)
    lapsed = outlook is not None and outlook.protection.state is ProtectionState.LAPSED
    return replace(
        fact,
        overdue=around.overdue.get(place),
        lapsed=outlook.protection.until if outlook is not None and lapsed else None,
        lapsed_policies=outlook.protection.lapsed_policies if outlook is not None else (),
        missing=around.missing.get(place, ()),
    )


async def look_around(now: datetime) -> Surroundings:
    """Ask Temporal what is due, and what the storages were last seen to have. Raises TemporalUnavailable."""
    overdue: dict[Place, datetime] = {}
    for one in await find_overdue():
        place = (one.key.profile, one.key.config)
        overdue[place] = min(one.due, overdue.get(place, one.due))
    return await sync_to_async(_surroundings)(overdue, now)


def _surroundings(overdue: Mapping[Place, datetime], now: datetime) -> Surroundings:
    drop_broken_connections()
    known = known_schedules(NOTIFIER)
    if known.trouble:
        raise TemporalUnavailable(known.trouble)
    configs = catalog.list_configs(NOTIFIER)
    outlooks = list_outlooks(NOTIFIER, configs, trends.list_trends(NOTIFIER, now), known, now)
    marks = {(config.profile, config.name): config.storage_mark for config in configs}
    missing, unread = _missing(marks)
    dim = {place for place, one in outlooks.items() if one.protection.state is ProtectionState.UNKNOWN}
    unclear = {(IncidentKind.UNPROTECTED, *place) for place in dim}
    unclear |= {(IncidentKind.MISSING, *place) for place in unread}
    return Surroundings(overdue, outlooks, missing, frozenset(unclear))


def _newest(kind: str, state: RunState) -> Subquery:
    """The newest run of a configuration with that outcome: one step into ``run_by_outcome``."""
    same = Run.objects.filter(profile=OuterRef("profile__name"), config=OuterRef("name"))
    return Subquery(same.filter(type=kind, status=state.value).order_by("-pk").values("pk")[:1])


def _runs_of(rows: Iterable[Mapping[str, Any]]) -> dict[int, RunFact]:
    numbers = [number for row in rows for name in _OUTCOMES.values() if (number := row[name])]
    found: dict[int, RunFact] = {}
    for begin in range(0, len(numbers), 500):
        some = Run.objects.filter(pk__in=numbers[begin : begin + 500])
        # What it left frozen is read from a failed run alone: the progress of a run is large.
        bad = [state.value for state in BAD]
        found |= {run.pk: _fact(run) for run in some.filter(status__in=bad).defer("result")}
        found |= {run.pk: _plain(run) for run in some.exclude(status__in=bad).defer("result", "progress")}
    return found


def _newest_of_each(runs: Iterable[RunFact]) -> tuple[RunFact, ...]:
    newest: dict[str, RunFact] = {}
    for run in runs:
        if run.type not in newest or newest[run.type].number < run.number:
            newest[run.type] = run
    return tuple(newest.values())


def _unsettled() -> dict[Place, tuple[RunFact, ...]]:
    found: defaultdict[Place, tuple[RunFact, ...]] = defaultdict(tuple)
    # One query each: an OR would look at every row.
    for rows in (Run.objects.open(), Run.objects.guarded().filter(finished__isnull=False)):
        for run in rows.defer("result"):
            found[run.profile, run.config] += (_fact(run),)
    return found


def _plain(run: Run) -> RunFact:
    return RunFact(
        number=run.pk,
        type=run.type,
        state=RunState(run.status),
        started=run.started,
        finished=run.finished,
        reason=run.failure,
        policy=run.policy,
    )


def _fact(run: Run) -> RunFact:
    if not run.progress:
        return _plain(run)
    progress = Progress.model_validate(run.progress)
    waiting = next(iter(progress.paused), None)
    return replace(
        _plain(run),
        reason=f"{waiting.name} failed: {waiting.reason}" if waiting else run.failure,
        frozen_since=progress.frozen_since if progress.frozen else None,
        freeze_budget=timedelta(seconds=progress.plan.freeze_budget_seconds),
        thaw_failed=progress.thaw_failed,
        waits_until=progress.pause_until,
    )


def _damaged() -> dict[Place, dict[str, str]]:
    """The backups that are there and whose last verification failed, with why."""
    same = {name: OuterRef(name) for name in ("profile", "config", "backup")}
    later = Verification.objects.filter(**same, pk__gt=OuterRef("pk"), state=CheckState.GOOD.value)
    rows = Verification.objects.filter(
        ~Exists(later), ~Exists(Removal.objects.filter(**same)), state=CheckState.FAILED.value
    )
    found: defaultdict[Place, dict[str, str]] = defaultdict(dict)
    for profile, config, backup, words in rows.order_by("pk").values_list(
        "profile", "config", "backup", "words"
    ):
        found[profile, config][backup] = words
    return found


def _missing(marks: Mapping[Place, str]) -> tuple[dict[Place, tuple[str, ...]], set[Place]]:
    """The newest backup of each configuration, where a list read after it does not have it.

    Also answers the places of which no list of the present storage could be read.
    """
    read = {
        (row.profile, row.config): row
        for row in Catalogue.objects.filter(read__isnull=False, trouble="")
        if row.storage == marks.get((row.profile, row.config))
    }
    newest = BackupConfig.objects.order_by().annotate(run=_newest("backup", RunState.COMPLETED))
    numbers = [number for number in newest.values_list("run", flat=True) if number]
    removed = set(Removal.objects.values_list("profile", "config", "backup"))
    missing: dict[Place, tuple[str, ...]] = {}
    for profile, config, finished, backup in Run.objects.filter(pk__in=numbers).values_list(
        "profile", "config", "finished", F("progress__backup_name")
    ):
        row = read.get((profile, config))
        if row is None or row.read is None or not backup or finished is None or row.read <= finished:
            continue
        if backup not in {name for name, *_ in row.points} and (profile, config, backup) not in removed:
            missing[profile, config] = (backup,)
    return missing, marks.keys() - read.keys()
