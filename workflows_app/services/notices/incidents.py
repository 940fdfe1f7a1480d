"""Incidents: begun, ended and told of, once each, in the transaction that notices them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from workflows_app.domain.notices.incidents import (
    ENDS,
    GONE,
    QUIET_AFTER,
    Incident,
    IncidentKind,
    PlaceFacts,
    Subject,
    Told,
    Turn,
    compare,
    find_incidents,
    next_turn,
)
from workflows_app.domain.notices.notices import (
    LONGEST_REASON,
    NoticeEvent,
    incident_title,
    of_incident,
    tidy,
)
from workflows_app.models import Channel, Delivery, NotifierTurn
from workflows_app.models import Incident as IncidentRow
from workflows_app.services.notices.audiences import Audience, listeners
from workflows_app.services.notices.deliveries import enqueue
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.setup.addresses import config_address, run_address

SHOWN = 100
_ALERTS = (NoticeEvent.ALERT.value, NoticeEvent.REMINDER.value)


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """Something that is wrong now, as a page shows it. ``told`` is when somebody was last told of it."""

    key: str
    title: str
    profile: str
    config: str
    run: int | None
    reason: str
    since: datetime
    told: datetime | None


def list_open(actor: Actor) -> tuple[OpenIncident, ...]:
    """Answer what is wrong now, what is so for longest first. Raises NotAllowed."""
    actor.require(Right.VIEW)
    rows = IncidentRow.objects.filter(recovered__isnull=True).order_by("since", "pk")[:SHOWN]
    return tuple(
        OpenIncident(
            key=row.key,
            title=incident_title(IncidentKind(row.kind), row.profile, row.config, row.detail),
            profile=row.profile,
            config=row.config,
            run=row.run,
            reason=row.reason,
            since=row.since,
            told=row.told if row.deliveries.exists() else None,
        )
        for row in rows
    )


def last_look(actor: Actor) -> datetime | None:
    """Answer when a worker last looked for what is wrong, None for never. Raises NotAllowed."""
    actor.require(Right.VIEW)
    return NotifierTurn.objects.values_list("looked", flat=True).first()


def settle_incidents(
    facts: Collection[PlaceFacts],
    looked: Collection[IncidentKind],
    unclear: Collection[Subject],
    audiences: Collection[Audience],
    now: datetime,
) -> None:
    """Write down what begins and what is over, and what is to be told of it to whom.

    ``looked`` and ``unclear`` are as for ``domain.notices.incidents.compare``. To be called in a transaction.
    """
    rows = {row.key: row for row in IncidentRow.objects.filter(recovered__isnull=True)}
    known = {key: (IncidentKind(row.kind), row.profile, row.config) for key, row in rows.items()}
    changes = compare(known, find_incidents(facts, now), looked, unclear)
    for incident in changes.opened:
        _open(incident, now)
    for incident in changes.ongoing:
        row = rows[incident.key]
        if row.run != incident.run:
            row.run, row.reason = incident.run, tidy(incident.reason, LONGEST_REASON)
            row.save(update_fields=["run", "reason"])
    places = {(place.profile, place.config) for place in facts}
    for key in changes.over:
        row = rows[key]
        there = (row.profile, row.config) in places
        row.over = ENDS[IncidentKind(row.kind)] if there else GONE
        row.recovered = now
        row.save(update_fields=["over", "recovered"])
    _tell(audiences, now)


def _open(incident: Incident, now: datetime) -> None:
    """Begin an incident, or go on with one of the same key that seemed over just now."""
    reason = tidy(incident.reason, LONGEST_REASON)
    just = (
        IncidentRow.objects.filter(key=incident.key, recovered__gt=now - QUIET_AFTER).order_by("-pk").first()
    )
    if just is not None:
        just.recovered, just.over, just.run, just.reason = None, "", incident.run, reason
        just.save(update_fields=["recovered", "over", "run", "reason"])
        return
    IncidentRow.objects.create(
        key=incident.key,
        kind=incident.kind.value,
        profile=incident.profile,
        config=incident.config,
        detail=incident.detail,
        run=incident.run,
        reason=reason,
        since=incident.since,
        opened=now,
    )


def _tell(audiences: Collection[Audience], now: datetime) -> None:
    remind_after = timedelta(hours=settings.FOSSUL_NOTIFY_REMIND_HOURS)
    for row in IncidentRow.objects.filter(Q(recovered__isnull=True) | Q(ended=False)):
        lasts = row.recovered is None
        turn = next_turn(Told(row.told, row.ended), lasts=lasts, now=now, remind_after=remind_after)
        if turn is None:
            continue
        _enqueue(row, turn, audiences, now)
        row.ended = turn is Turn.RECOVERY
        if turn is not Turn.RECOVERY:
            row.told = now
        row.save(update_fields=["ended", "told"])


def _enqueue(row: IncidentRow, turn: Turn, audiences: Collection[Audience], now: datetime) -> None:
    incident = Incident(
        IncidentKind(row.kind), row.profile, row.config, row.reason, row.since, row.run, row.detail
    )
    if turn is Turn.RECOVERY:
        channels = _those_told(row, audiences)
    else:
        channels = listeners(audiences, row.kind, row.profile, row.config)
    url = run_address(row.run) if row.run else config_address(row.profile, row.config)
    notice = of_incident(incident, turn, f"{row.key}#{row.pk}", row.over, url, now)
    key = f"incident-{row.pk}-{turn}-{int(now.timestamp())}"
    enqueue(channels, notice, key, now, incident=row, stream=f"incident-{row.pk}", together=True)


def _those_told(row: IncidentRow, audiences: Iterable[Audience]) -> tuple[Channel, ...]:
    """The channels that were told that it began: they are told that it is over, whatever they hear of now."""
    told = set(Delivery.objects.filter(incident=row, event__in=_ALERTS).values_list("channel", flat=True))
    return tuple(one.channel for one in audiences if one.channel.pk in told)
