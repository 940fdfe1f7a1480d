"""Digests: written when they are due, once each, and late rather than never."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count

from workflows_app.domain.notices.channels import Rhythm, next_digest
from workflows_app.domain.notices.digests import Digest, DigestCounts, DigestRow
from workflows_app.domain.notices.incidents import BAD, IncidentKind
from workflows_app.domain.notices.notices import Notice, NoticeEvent, tidy
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Channel, Hold, Run
from workflows_app.models import Incident as IncidentRow
from workflows_app.services.notices.audiences import Audience
from workflows_app.services.notices.deliveries import enqueue
from workflows_app.services.notices.incident_facts import Surroundings
from workflows_app.services.protection.trends import Place
from workflows_app.services.setup.addresses import address

_PERIODS = {Rhythm.DAILY.value: timedelta(days=1), Rhythm.WEEKLY.value: timedelta(days=7)}
_WORDS = {
    IncidentKind.FAILED: "the last {detail} failed",
    IncidentKind.FROZEN: "frozen",
    IncidentKind.WAITING: "waits for a person",
    IncidentKind.OVERDUE: "overdue",
    IncidentKind.MISSED: "a run was missed",
    IncidentKind.SKIPPED: "a run was skipped",
    IncidentKind.UNPROTECTED: "restore points too old",
    IncidentKind.DAMAGED: "{detail} is damaged",
    IncidentKind.MISSING: "{detail} is missing",
}


def due_of(channel: Channel, after: datetime) -> datetime | None:
    """Answer when a channel's next digest is due after ``after``, None for a channel that gets none."""
    return next_digest(
        Rhythm(channel.digest), channel.digest_time, channel.digest_day, ZoneInfo(channel.zone), after
    )


def any_due(now: datetime) -> bool:
    """Whether a digest is due: what is in it takes longer to find out than other things."""
    return Channel.objects.filter(enabled=True, digest_due__lte=now).exists()


def settle_digests(audiences: Collection[Audience], around: Surroundings | None, now: datetime) -> None:
    """Write down the digests that are due. ``around`` is None where Temporal could not be asked.

    Of several that were missed only the last is written: it tells of the present. To be called in a
    transaction.
    """
    for audience in audiences:
        channel = audience.channel
        if channel.digest_due is None or channel.digest_due > now:
            continue
        begin = channel.digest_due - _PERIODS.get(channel.digest, timedelta(days=1))
        due, following = channel.digest_due, due_of(channel, channel.digest_due)
        while following is not None and following <= now:
            due, following = following, due_of(channel, following)
        digest = Digest(begin, due, now, _counts(audience, begin, due), _rows(audience, around))
        notice = Notice(
            event=NoticeEvent.DIGEST,
            key=f"digest/{due.astimezone(UTC):%Y-%m-%dT%H:%MZ}",
            title=digest.title,
            time=now,
            reason=digest.summary,
            lines=tuple(tidy(line) for line in digest.lines),
            url=address("overview"),
        )
        enqueue([channel], notice, f"digest-{due.isoformat()}", now)
        Channel.objects.filter(pk=channel.pk).update(digest_due=following)


def _counts(audience: Audience, begin: datetime, end: datetime) -> DigestCounts:
    rows = (
        Run.objects.filter(type="backup", started__gte=begin, started__lt=end)
        .order_by()
        .values_list("profile", "config", "status")
        .annotate(count=Count("pk"))
    )
    counts: Counter[RunState] = Counter()
    for profile, config, status, count in rows:
        if audience.hears_of(profile, config):
            counts[RunState(status)] += count
    return DigestCounts(
        completed=counts[RunState.COMPLETED],
        failed=sum(counts[state] for state in BAD),
        missed=counts[RunState.MISSED],
        skipped=counts[RunState.SKIPPED],
    )


def _rows(audience: Audience, around: Surroundings | None) -> list[DigestRow]:
    incidents = _open_incidents()
    held = {
        (profile, config): count
        for profile, config, count in Hold.objects.order_by()
        .values_list("profile", "config")
        .annotate(count=Count("pk"))
    }
    rows = []
    for config in BackupConfig.objects.select_related("profile").order_by("profile__name", "name"):
        place = (config.profile.name, config.name)
        if not audience.hears_of(*place):
            continue
        good = _last_good(*place)
        outlook = around.outlooks.get(place) if around is not None else None
        rows.append(
            DigestRow(
                *place,
                protection=outlook.protection.state if outlook is not None else None,
                last_good=good.finished if good else None,
                size=good.backup_bytes if good else None,
                held=held.get(place, 0),
                disabled=config.disabled or config.profile.disabled,
                incidents=incidents.get(place, ()),
            )
        )
    return rows


def _last_good(profile: str, config: str) -> Run | None:
    good = Run.objects.of(profile, config).filter(type="backup", status=RunState.COMPLETED.value)
    return good.order_by("-pk").only("finished", "backup_bytes").first()


def _open_incidents() -> Mapping[Place, tuple[str, ...]]:
    found: defaultdict[Place, tuple[str, ...]] = defaultdict(tuple)
    for row in IncidentRow.objects.filter(recovered__isnull=True).order_by("since"):
        found[row.profile, row.config] += (_WORDS[IncidentKind(row.kind)].format(detail=row.detail),)
    return found
