"""The audit: who did what, to which run or configuration, and when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.core.paginator import Paginator

from workflows_app.models import AuditEntry
from workflows_app.services.people.permissions import Actor, Right

PER_PAGE = 100


class Action(StrEnum):
    """What can be done, in the words of a log: "olga *started* run 12"."""

    STARTED = "started"
    QUEUED = "queued"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    RETRIED = "retried a step of"
    SKIPPED = "skipped a step of"
    ABORTED = "aborted"
    THAWED = "ordered the thaw of"
    COMPENSATED = "ordered the undoing of"
    CHANGED_PLAN = "changed the plan of"
    IMPORTED = "imported"
    EXPORTED_SECRETS = "downloaded the secrets of"
    CREATED = "created"
    EDITED = "changed"
    WENT_BACK = "took back changes of"
    RENAMED = "renamed"
    DUPLICATED = "duplicated"
    DISABLED = "disabled"
    ENABLED = "enabled"
    DELETED = "deleted"
    SCHEDULED = "made a schedule of"
    RESCHEDULED = "changed a schedule of"
    UNSCHEDULED = "deleted a schedule of"
    MOVED_SCHEDULE = "moved a schedule of"
    COPIED_SCHEDULE = "copied a schedule of"
    PAUSED = "paused a schedule of"
    RESUMED = "resumed a schedule of"
    TRIGGERED = "ran a schedule now of"
    BACKFILLED = "backfilled a schedule of"
    HELD = "held a restore point of"
    RELEASED = "released a restore point of"
    VERIFIED = "verified a restore point of"
    DELETED_POINT = "deleted a restore point of"
    FORGOT_POINT = "forgot a restore point of"
    CHANGED_RETENTION = "changed the retention of"
    ADDED_CHANNEL = "added a channel for notices"
    CHANGED_CHANNEL = "changed a channel for notices"
    DELETED_CHANNEL = "deleted a channel for notices"
    TESTED_CHANNEL = "tested a channel for notices"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done. ``run`` is a run's number, None where it is not about one."""

    time: datetime
    actor: str
    action: str
    profile: str
    config: str
    run: int | None
    details: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """One page of the audit; ``page`` counts from 1."""

    entries: tuple[Entry, ...]
    total: int
    page: int
    pages: int


def note(
    actor: Actor, action: Action, profile: str, config: str, *, run: int | None = None, details: str = ""
) -> None:
    """Note what ``actor`` did. ``details`` are words, never a secret."""
    AuditEntry.objects.create(
        actor=actor.name, action=action.value, profile=profile, config=config, run=run, details=details
    )


def entries_of_run(actor: Actor, number: int) -> tuple[Entry, ...]:
    """Answer what was done to a run, the first thing first. Raises NotAllowed."""
    actor.require(Right.VIEW)
    return tuple(_entry(row) for row in AuditEntry.objects.filter(run=number).order_by("pk"))


def list_entries(actor: Actor, page: int = 1) -> AuditPage:
    """Answer what was done, the newest first. A page beyond the last is the last. Raises NotAllowed."""
    actor.require(Right.VIEW)
    found = Paginator(AuditEntry.objects.all(), PER_PAGE).get_page(page)
    return AuditPage(
        entries=tuple(_entry(row) for row in found),
        total=found.paginator.count,
        page=found.number,
        pages=found.paginator.num_pages,
    )


def _entry(row: AuditEntry) -> Entry:
    return Entry(row.time, row.actor, row.action, row.profile, row.config, row.run, row.details)
