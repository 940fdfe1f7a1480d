"""Deliveries: written down together with what they tell of, taken by one sender at a time, alone or several
that are told together, kept with their outcome.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from workflows_app.domain.notices.bundles import MOST_TOGETHER, bundle, next_message
from workflows_app.domain.notices.channels import FOR_PEOPLE, ChannelKind
from workflows_app.domain.notices.notices import Notice
from workflows_app.domain.notices.redelivery import NotSent, next_pause
from workflows_app.models import Channel, Delivery, Incident
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.setup.addresses import address

TAKEN_FOR = timedelta(minutes=3)
"""Longer than any attempt takes: who has not reported by then is taken for dead, and another one sends."""
KEPT_FOR = timedelta(days=30)
HEARTBEATS_KEPT_FOR = timedelta(days=1)
_MOST_BESIDE = MOST_TOGETHER - 1


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send, under ``claim``: a delivery, or several that are told together.

    ``mark`` is the same when the same message is sent again.
    """

    mark: str
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
    together: bool = False,
) -> None:
    """Write down that ``notice`` is to go to ``channels``, once for each ``key``.

    What may be told ``together`` with others of its event is sent at once to those channels for people that
    were not told of one just now, and else with what follows within the window.
    """
    channels = tuple(channels)
    planned = _planned(channels, notice, now) if together else {}
    rows = [
        Delivery(
            channel=channel,
            incident=incident,
            event=notice.event.value,
            key=key,
            stream=stream,
            notice=notice.model_dump(mode="json"),
            created=now,
            due=planned.get(channel.pk, now),
            planned=planned.get(channel.pk),
        )
        for channel in channels
    ]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)


def _planned(channels: Iterable[Channel], notice: Notice, now: datetime) -> dict[int, datetime]:
    """When each channel whose messages tell of several things is told of this one, by channel."""
    window = timedelta(seconds=settings.FOSSUL_NOTIFY_WINDOW_SECONDS)
    people = [one.pk for one in channels if ChannelKind(one.kind) in FOR_PEOPLE]
    if not window or not people:
        return {}
    told = Delivery.objects.filter(channel__in=people, event=notice.event.value, planned__gt=now - window)
    last = dict(told.order_by().values_list("channel").annotate(Max("planned")))
    return {channel: next_message(last.get(channel), now, window) for channel in people}


def channels_with_due(now: datetime) -> set[int]:
    """Answer the ids of the channels for which something is to be sent now."""
    drop_broken_connections()
    return set(_due(now).order_by().values_list("channel", flat=True).distinct())


def claim_next(channel: int, now: datetime) -> Claimed | None:
    """Take the next message to a channel; None when there is none, or others have it."""
    drop_broken_connections()
    claim = str(uuid4())
    for row in _due(now).filter(channel=channel).order_by("pk").select_related("channel")[:10]:
        with transaction.atomic():
            taken = _due(now).filter(pk=row.pk)
            if not taken.update(claim=claim, taken_until=now + TAKEN_FOR, attempts=F("attempts") + 1):
                continue
            # Others may have put it into a bundle since it was found.
            row.refresh_from_db(fields=["bundle", "attempts"])
            rows = (row, *_with_it(row, claim, now))
        return Claimed(
            mark=f"bundle {row.bundle}" if row.bundle else f"delivery {row.pk}",
            claim=claim,
            attempts=row.attempts,
            notice=_told(rows),
            channel=row.channel,
        )
    return None


def _with_it(row: Delivery, claim: str, now: datetime) -> tuple[Delivery, ...]:
    """Take what is told together with ``row``, which is taken: nobody else takes these meanwhile.

    What was tried once is as it was, so that a receiver can know it again: only what was not makes a bundle.
    """
    waiting = Delivery.objects.waiting().filter(channel=row.channel)
    if row.bundle:
        rest: QuerySet[Delivery] = waiting.filter(bundle=row.bundle)
    elif row.planned is None or row.attempts > 1:
        return ()
    else:
        fit = _due(now).filter(
            channel=row.channel, event=row.event, planned__isnull=False, bundle="", attempts=0
        )
        rest = _due(now).filter(pk__in=list(fit.order_by("pk").values_list("pk", flat=True)[:_MOST_BESIDE]))
    name = row.bundle or claim
    taken = {"claim": claim, "taken_until": now + TAKEN_FOR, "attempts": row.attempts, "bundle": name}
    if rest.exclude(pk=row.pk).update(**taken):
        row.bundle = name
        row.save(update_fields=["bundle"])
    return tuple(waiting.filter(claim=claim).exclude(pk=row.pk).order_by("pk"))


def _told(rows: Sequence[Delivery]) -> Notice:
    notices = [Notice.model_validate(row.notice) for row in rows]
    if len(notices) == 1:
        return notices[0]
    return bundle(notices, f"bundle/{rows[0].bundle}", address("notifications"))


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


def _due(now: datetime) -> QuerySet[Delivery]:
    """What is to be sent now and nobody has taken; of a stream only what comes first."""
    same = Delivery.objects.waiting().filter(
        channel=OuterRef("channel"), stream=OuterRef("stream"), pk__lt=OuterRef("pk")
    )
    return Delivery.objects.waiting().filter(
        Q(taken_until__isnull=True) | Q(taken_until__lt=now), Q(stream="") | ~Exists(same), due__lte=now
    )


def _ours(claimed: Claimed) -> QuerySet[Delivery]:
    return Delivery.objects.waiting().filter(channel=claimed.channel, claim=claimed.claim)
