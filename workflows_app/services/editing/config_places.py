"""Where configurations are and whether they run: renamed, duplicated, disabled, deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from workflows_app.domain.config import check_name
from workflows_app.domain.errors import ConfigInvalid, NotFound, NotNow
from workflows_app.models import BackupConfig, Catalogue, Hold, Profile, Removal, Run, Verification
from workflows_app.models.stored_configs import find_config
from workflows_app.services.configurations import versions
from workflows_app.services.configurations.config_rows import configuration_of, locked_row, store
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.schedules import schedule_moves


@dataclass(frozen=True, slots=True)
class Loss:
    """What deleting a configuration would take away, and what it would leave.

    ``runs`` stay in the lists; ``versions`` and ``policies`` are gone; the backups that ``storage`` and
    ``archive`` (plugins, ``""`` for none) keep stay, and nobody cleans them up any more.
    """

    profile: str
    name: str
    runs: int
    versions: int
    policies: tuple[str, ...]
    storage: str
    archive: str


def loss_of(actor: Actor, profile: str, name: str) -> Loss:
    """Answer what deleting a configuration would take away. Raises NotAllowed, NotFound."""
    actor.require(Right.CONFIGURE)
    return _loss(find_config(profile, name))


def losses_of(actor: Actor, profile: str) -> tuple[Loss, ...]:
    """Answer what deleting a profile would take away, for each of its configurations. Raises NotAllowed."""
    actor.require(Right.CONFIGURE)
    rows = BackupConfig.objects.select_related("profile").filter(profile__name=profile)
    return tuple(_loss(row) for row in rows)


def rename_config(actor: Actor, profile: str, name: str, new: str) -> None:
    """Give a configuration another name; its runs and schedules follow it, and what is known of its restore
    points.

    What a storage plugin keeps under the old name stays there, so nothing is known to be under the new one.
    Raises NotAllowed; NotFound; ConfigInvalid for
    a name that is none or is taken; NotNow while a run of it is open.
    """
    actor.require(Right.CONFIGURE)
    check_name("name", new)
    taken = ConfigInvalid("name", f"there is a configuration {new!r} in profile {profile!r} already")
    try:
        with transaction.atomic():
            row = locked_row(profile, name)
            refuse_while_open(profile, name)
            if new != name and BackupConfig.objects.filter(profile=row.profile, name=new).exists():
                raise taken
            BackupConfig.objects.filter(pk=row.pk).update(name=new)
            if new != name:
                Run.objects.of(profile, name).update(config=new)
                let_told_follow({"profile": profile, "config": name}, {"config": new})
                Catalogue.objects.filter(profile=profile, config=name).delete()
                schedule_moves.note_move(actor, (profile, name), (profile, new))
            audit.note(actor, Action.RENAMED, profile, new, details=f"it was {name} before")
    except IntegrityError:
        raise taken from None
    schedule_moves.follow()


def duplicate_config(
    actor: Actor, profile: str, name: str, to_profile: str, new: str, *, with_schedules: bool = False
) -> None:
    """Make another configuration that is the same, secrets included, with no run or backup.

    That of a disabled one is disabled. It has the same schedules ``with_schedules``, and none without.
    Raises NotAllowed; NotFound for an unknown configuration or profile; ConfigInvalid for a name that is
    none or is taken.
    """
    actor.require(Right.CONFIGURE)
    check_name("name", new)
    taken = ConfigInvalid("name", f"there is a configuration {new!r} in profile {to_profile!r} already")
    try:
        with transaction.atomic():
            row = locked_row(profile, name)
            if not Profile.objects.filter(name=to_profile).exists():
                raise NotFound(f"There is no profile {to_profile!r}.")
            if BackupConfig.objects.filter(profile__name=to_profile, name=new).exists():
                raise taken
            copy_row(actor, row, to_profile, new)
            if with_schedules:
                schedule_moves.note_move(actor, (profile, name), (to_profile, new), copies=True)
            audit.note(actor, Action.DUPLICATED, profile, name, details=f"as {to_profile}/{new}")
    except IntegrityError:
        raise taken from None
    schedule_moves.follow()


def copy_row(actor: Actor, row: BackupConfig, to_profile: str, new: str) -> None:
    """Make the row of a duplicate with its first version. To be called in a transaction."""
    copy = store(to_profile, new, configuration_of(row))
    # As it is stored, not as it is understood: all that is sealed stays sealed.
    same = {"settings": row.settings, "description": row.description, "disabled": row.disabled}
    BackupConfig.objects.filter(pk=copy.pk).update(**same)
    versions.keep(actor, copy, f"duplicate of {row.profile.name}/{row.name}, version {row.version}")


def switch_config(actor: Actor, profile: str, name: str, *, disabled: bool) -> None:
    """Let no backup of a configuration start any more, or let them start again. A run under way goes on.

    Raises NotAllowed, NotFound.
    """
    actor.require(Right.CONFIGURE)
    with transaction.atomic():
        row = locked_row(profile, name)
        if row.disabled != disabled:
            BackupConfig.objects.filter(pk=row.pk).update(disabled=disabled)
            audit.note(actor, Action.DISABLED if disabled else Action.ENABLED, profile, name)


def delete_config(actor: Actor, profile: str, name: str, confirmation: str) -> None:
    """Delete a configuration with its policies, versions and schedules; runs stay, and so does all that is
    stored.

    ``confirmation`` must be its name. Raises NotAllowed; NotFound; ConfigInvalid for another confirmation;
    NotNow while a run of it is open.
    """
    actor.require(Right.CONFIGURE)
    with transaction.atomic():
        row = locked_row(profile, name)
        refuse_unconfirmed(name, confirmation)
        refuse_while_open(profile, name)
        row.delete()
        Catalogue.objects.filter(profile=profile, config=name).delete()
        schedule_moves.note_move(actor, (profile, name))
        audit.note(actor, Action.DELETED, profile, name)
    schedule_moves.follow()


def refuse_unconfirmed(name: str, confirmation: str) -> None:
    """Raise ConfigInvalid unless the name of what is to be deleted was typed."""
    if confirmation != name:
        raise ConfigInvalid("confirmation", f"type {name!r} to confirm")


def let_told_follow(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Let what is known of restore points follow a rename of ``profile``, or of a ``config`` in it.

    Where the same was known under the new name, of a configuration that is gone, that stays as it is.
    To be called in the transaction of the rename.
    """
    same: dict[str, Any] = {field: new.get(field, OuterRef(field)) for field in ("profile", "config")}
    for once in (Hold, Removal):
        there = once.objects.filter(**same, backup=OuterRef("backup"))
        once.objects.filter(Exists(there), **old).delete()
    for told in (Hold, Removal, Verification):
        told.objects.filter(**old).update(**new)


def refuse_while_open(profile: str, name: str | None = None) -> None:
    """Raise NotNow while a run of a configuration, or of any one of the profile, is open or guarded."""
    runs = Run.objects.unsettled().filter(profile=profile)
    if name is not None:
        runs = runs.filter(config=name)
    run = runs.order_by("pk").first()
    if run is not None:
        raise NotNow(f"Run {run.pk} of {run.profile}/{run.config} is not over: wait for it, or cancel it.")


def _loss(row: BackupConfig) -> Loss:
    return Loss(
        profile=row.profile.name,
        name=row.name,
        runs=Run.objects.of(row.profile.name, row.name).count(),
        versions=row.versions.count(),
        policies=tuple(policy.name for policy in row.policies.all()),
        storage=str(row.settings.get("storagePlugin", "")),
        archive=str(row.settings.get("archivePlugin", "")),
    )
