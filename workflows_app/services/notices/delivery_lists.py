"""Deliveries as pages show them: one for each message, with all that it told."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from workflows_app.domain.notices.bundles import bundle_title
from workflows_app.models import Delivery
from workflows_app.services.people.permissions import Actor, Right

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """A message as a page shows it. ``due`` is when it is tried (again), while it is not ``done``.

    ``parts`` are the titles of what it tells together, none where it tells of one thing.
    """

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
    parts: tuple[str, ...] = ()


def list_deliveries(actor: Actor, limit: int = PER_PAGE) -> tuple[DeliverySummary, ...]:
    """Answer the last messages, the newest first, without heartbeats that went well. Raises NotAllowed."""
    actor.require(Right.VIEW)
    later = Delivery.objects.filter(bundle=OuterRef("bundle"), pk__gt=OuterRef("pk"))
    told = Delivery.objects.exclude(event="heartbeat", sent=True).filter(Q(bundle="") | ~Exists(later))
    return _summaries(told.select_related("channel")[:limit])


def latest_deliveries(actor: Actor, channels: Collection[int], event: str = "") -> dict[int, DeliverySummary]:
    """Answer the last message to each channel, of ``event`` or any, by channel. Raises NotAllowed."""
    actor.require(Right.VIEW)
    found = {}
    for channel in channels:
        rows = Delivery.objects.filter(channel=channel).select_related("channel")
        row = (rows.filter(event=event) if event else rows).first()
        if row is not None:
            found[channel] = _summary(row)
    return found


def _summaries(rows: Iterable[Delivery]) -> tuple[DeliverySummary, ...]:
    found = tuple(rows)
    together: dict[str, list[Delivery]] = defaultdict(list)
    bundles = {row.bundle for row in found if row.bundle}
    for member in Delivery.objects.filter(bundle__in=bundles).order_by("pk"):
        together[member.bundle].append(member)
    return tuple(_summary(row, together[row.bundle] if row.bundle else ()) for row in found)


def _summary(row: Delivery, members: Sequence[Delivery] = ()) -> DeliverySummary:
    title = str(row.notice.get("title", ""))
    if members:
        places = [f"{one.notice.get('profile')}/{one.notice.get('config')}" for one in members]
        title = bundle_title(row.event, places)
    return DeliverySummary(
        number=row.pk,
        channel=row.channel.name,
        event=row.event,
        title=title,
        created=row.created,
        due=row.due,
        attempts=row.attempts,
        done=row.done,
        sent=row.sent,
        error=row.error,
        parts=tuple(str(one.notice.get("title", "")) for one in members),
    )
