"""Deliveries: written down together with what they tell of, taken by one sender at a time, kept with their
outcome.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db.models import Exists, OuterRef, Q, QuerySet

from workflows_app.domain.notices import Notice
from workflows_app.domain.redelivery import NotSent, next_pause
from workflows_app.models import Channel, Delivery, Incident
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.permissions import Actor, Right

TAKEN_FOR = timedelta(minutes=3)
"""Longer than any attempt takes: who has not reported by then is taken for dead, and another one sends."""
KEPT_FOR = timedelta(days=30)
HEARTBEATS_KEPT_FOR = timedelta(days=1)
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """A delivery as a page shows it. ``due`` is when it is tried (again), while it is not ``done``."""

    number: int
    channel: str
    event: str
    title: str
    created: datetime
    due: datetime
    attempts: int
    done: datetime | None
    sent: bool
    error: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send, under ``claim``."""

    number: int
    claim: str
    attempts: int
    notice: Notice
    channel: Channel


def enqueue(
    channels: Iterable[Channel],
    notice: Notice,
    key: str,
    now: datetime,
    *,
    incident: Incident | None = None,
    stream: str = "",
) -> None:
    """Write down that ``notice`` is to go to ``channels``, once for each ``key``."""
    rows = [
        Delivery(
            channel=channel,
            incident=incident,
            event=notice.event.value,
            key=key,
            stream=stream,
            notice=notice.model_dump(mode="json"),
            created=now,
            due=now,
        )
        for channel in channels
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)


def channels_with_due(now: datetime) -> set[int]:
    """Answer the ids of the channels for which something is to be sent now."""
    drop_broken_connections()
    return set(_due(now).order_by().values_list("channel", flat=True).distinct())


def claim_next(channel: int, now: datetime) -> Claimed | None:
    """Take the next delivery to a channel; None when there is none, or others have it."""
    drop_broken_connections()
    claim = str(uuid4())
    for row in _due(now).filter(channel=channel).order_by("pk").select_related("channel")[:10]:
        taken = _due(now).filter(pk=row.pk)
        if taken.update(claim=claim, taken_until=now + TAKEN_FOR, attempts=row.attempts + 1):
            return Claimed(row.pk, claim, row.attempts + 1, Notice.model_validate(row.notice), row.channel)
    return None


def record_sent(claimed: Claimed, now: datetime) -> None:
    """Write down that it was sent."""
    _ours(claimed).update(done=now, sent=True, error="", taken_until=None)


def record_failure(claimed: Claimed, error: NotSent, now: datetime) -> None:
    """Write down why it was not sent, and when it is tried again; or that it is given up."""
    pause = next_pause(claimed.attempts) if error.again else None
    if pause is None:
        _ours(claimed).update(done=now, sent=False, error=str(error), taken_until=None)
    else:
        _ours(claimed).update(due=now + pause, error=str(error), taken_until=None)


def give_up(channel: Channel, why: str, now: datetime) -> None:
    """Send nothing of what still waits for a channel."""
    Delivery.objects.waiting().filter(channel=channel).update(done=now, sent=False, error=why)


def forget_old(now: datetime) -> None:
    """Delete the deliveries that were sent or given up long ago."""
    Delivery.objects.filter(done__lt=now - KEPT_FOR).delete()
    Delivery.objects.filter(event="heartbeat", done__lt=now - HEARTBEATS_KEPT_FOR).delete()


def list_deliveries(actor: Actor, limit: int = PER_PAGE) -> tuple[DeliverySummary, ...]:
    """Answer the last deliveries, the newest first, without heartbeats that went well. Raises NotAllowed."""
    actor.require(Right.VIEW)
    told = Delivery.objects.exclude(event="heartbeat", sent=True)
    return tuple(_summary(row) for row in told.select_related("channel")[:limit])


def latest_deliveries(actor: Actor, channels: Collection[int], event: str = "") -> dict[int, DeliverySummary]:
    """Answer the last delivery to each channel, of ``event`` or any, by channel. Raises NotAllowed."""
    actor.require(Right.VIEW)
    found = {}
    for channel in channels:
        rows = Delivery.objects.filter(channel=channel).select_related("channel")
        row = (rows.filter(event=event) if event else rows).first()
        if row is not None:
            found[channel] = _summary(row)
    return found


def _due(now: datetime) -> QuerySet[Delivery]:
    """What is to be sent now and nobody has taken; of a stream only what comes first."""
    same = Delivery.objects.waiting().filter(
        channel=OuterRef("channel"), stream=OuterRef("stream"), pk__lt=OuterRef("pk")
    )
    return Delivery.objects.waiting().filter(
        Q(taken_until__isnull=True) | Q(taken_until__lt=now), Q(stream="") | ~Exists(same), due__lte=now
    )


def _ours(claimed: Claimed) -> QuerySet[Delivery]:
    return Delivery.objects.waiting().filter(pk=claimed.number, claim=claimed.claim)


def _summary(row: Delivery) -> DeliverySummary:
    return DeliverySummary(
        number=row.pk,
        channel=row.channel.name,
        event=row.event,
        title=str(row.notice.get("title", "")),
        created=row.created,
        due=row.due,
        attempts=row.attempts,
        done=row.done,
        sent=row.sent,
        error=row.error,
    )
