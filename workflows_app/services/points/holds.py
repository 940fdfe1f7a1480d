"""Holds: restore points that nothing deletes until they are released."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from workflows_app.domain.errors import ConfigInvalid, NotFound, NotNow
from workflows_app.models import Hold
from workflows_app.services.configurations import catalog
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right

LONGEST_REASON = 500
LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class HeldPoint:
    """Why a restore point is held, by whom and since when."""

    backup: str
    reason: str
    by: str
    since: datetime


def holds_of(actor: Actor, profile: str, config: str) -> dict[str, HeldPoint]:
    """Answer what is held of a configuration, by the backup's name. Raises NotAllowed."""
    actor.require(Right.VIEW)
    rows = Hold.objects.filter(profile=profile, config=config)
    return {row.backup: HeldPoint(row.backup, row.reason, row.by, row.since) for row in rows}


def hold(actor: Actor, profile: str, config: str, backup: str, reason: str) -> None:
    """Hold a restore point: from now on no retention and no deletion of the dashboard's takes it.

    Raises NotAllowed; NotFound for an unknown configuration; ConfigInvalid without a reason; NotNow when it
    is held already.
    """
    actor.require(Right.OPERATE)
    catalog.get_config(actor, profile, config)
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise ConfigInvalid("reason", f"say in 1 to {LONGEST_REASON} characters why it is held")
    if not backup or len(backup) > LONGEST_NAME:
        raise ConfigInvalid("backup", f"a name of 1 to {LONGEST_NAME} characters can be held")
    try:
        with transaction.atomic():
            Hold.objects.create(
                profile=profile,
                config=config,
                backup=backup,
                reason=reason,
                by=actor.name,
                since=datetime.now(UTC),
            )
            audit.note(actor, Action.HELD, profile, config, details=f"{backup}: {reason}")
    except IntegrityError:
        raise NotNow(f"{backup} is held already.") from None


def release(actor: Actor, profile: str, config: str, backup: str) -> None:
    """Release a hold. Raises NotAllowed, NotFound."""
    actor.require(Right.OPERATE)
    with transaction.atomic():
        deleted, _ = Hold.objects.filter(profile=profile, config=config, backup=backup).delete()
        if not deleted:
            raise NotFound(f"{backup} of {profile}/{config} is not held.")
        audit.note(actor, Action.RELEASED, profile, config, details=backup)


def refuse_held(names: Iterable[str]) -> None:
    """Raise NotNow when any of these backups is held, by whichever configuration."""
    held = Hold.objects.filter(backup__in=list(names)).first()
    if held is not None:
        raise NotNow(f"{held.backup} is held by {held.by}: {held.reason}. Release the hold first.")
