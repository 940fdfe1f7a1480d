"""Profiles: made, described, renamed, duplicated, disabled, deleted."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from workflows_app.domain.config import check_name
from workflows_app.domain.config_files.configuration import LONGEST_DESCRIPTION
from workflows_app.domain.errors import ConfigInvalid, NotFound, NotNow
from workflows_app.models import BackupConfig, Catalogue, Profile, Run
from workflows_app.services.configurations.config_folder import TEMPLATE_PROFILE
from workflows_app.services.editing.config_places import (
    copy_row,
    let_told_follow,
    refuse_unconfirmed,
    refuse_while_open,
)
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.schedules import schedule_moves


def create_profile(actor: Actor, name: str, description: str) -> None:
    """Make an empty profile. Raises NotAllowed; ConfigInvalid for a name that is none or is taken."""
    actor.require(Right.CONFIGURE)
    _check(name, description)
    with _new_name(name):
        Profile.objects.create(name=name, description=description)
        audit.note(actor, Action.CREATED, name, "")


def change_profile(
    actor: Actor, profile: str, name: str, description: str, opened: str | None = None
) -> None:
    """Give a profile another name and description; the runs and schedules of its configurations follow it,
    and what is known of their restore points.

    What storage plugins keep under the old name stays there, so nothing is known to be under the new one.
    ``opened`` is the description that was looked at, where that is known. Raises NotAllowed; NotFound;
    ConfigInvalid for a name that is none or is taken; NotNow for another name while a run of it is open, and
    for another description when somebody else has given it one since.
    """
    actor.require(Right.CONFIGURE)
    _check(name, description)
    with transaction.atomic():
        row = _locked(profile)
        if opened not in (None, row.description) and description != row.description:
            raise NotNow(
                f"Somebody else has changed the description meanwhile; it is {row.description!r} now. What "
                "you typed is still below: save again to put it in its place."
            )
        if name != profile:
            refuse_while_open(profile)
            with _new_name(name):
                Profile.objects.filter(pk=row.pk).update(name=name)
            Run.objects.filter(profile=profile).update(profile=name)
            let_told_follow({"profile": profile}, {"profile": name})
            Catalogue.objects.filter(profile=profile).delete()
            for config in row.configs.values_list("name", flat=True):
                schedule_moves.note_move(actor, (profile, config), (name, config))
            audit.note(actor, Action.RENAMED, name, "", details=f"it was {profile} before")
        if description != row.description:
            Profile.objects.filter(pk=row.pk).update(description=description)
            audit.note(actor, Action.EDITED, name, "", details="its description")
    schedule_moves.follow()


def duplicate_profile(actor: Actor, profile: str, new: str, *, with_schedules: bool = False) -> None:
    """Make another profile with the same configurations, as ``duplicate_config`` makes them; that of a
    disabled one is disabled.

    Raises NotAllowed; NotFound; ConfigInvalid for a name that is none or is taken.
    """
    actor.require(Right.CONFIGURE)
    with transaction.atomic():
        row = _locked(profile)
        _check(new, row.description)
        with _new_name(new):
            Profile.objects.create(name=new, description=row.description, disabled=row.disabled)
        for config in BackupConfig.objects.select_related("profile").filter(profile=row):
            copy_row(actor, config, new, config.name)
            if with_schedules:
                schedule_moves.note_move(actor, (profile, config.name), (new, config.name), copies=True)
        audit.note(actor, Action.DUPLICATED, profile, "", details=f"as {new}")
    schedule_moves.follow()


def switch_profile(actor: Actor, profile: str, *, disabled: bool) -> None:
    """Let no backup of a profile's configurations start any more, or let them start again.

    Runs under way go on. Raises NotAllowed, NotFound.
    """
    actor.require(Right.CONFIGURE)
    with transaction.atomic():
        row = _locked(profile)
        if row.disabled != disabled:
            Profile.objects.filter(pk=row.pk).update(disabled=disabled)
            audit.note(actor, Action.DISABLED if disabled else Action.ENABLED, profile, "")


def delete_profile(actor: Actor, profile: str, confirmation: str) -> None:
    """Delete a profile with its configurations and their schedules; runs stay, and so does all that is
    stored.

    ``confirmation`` must be its name. Raises NotAllowed; NotFound; ConfigInvalid for another confirmation;
    NotNow while a run of it is open.
    """
    actor.require(Right.CONFIGURE)
    with transaction.atomic():
        row = _locked(profile)
        refuse_unconfirmed(profile, confirmation)
        refuse_while_open(profile)
        for config in BackupConfig.objects.filter(profile=row):
            audit.note(actor, Action.DELETED, profile, config.name, details="with its profile")
            schedule_moves.note_move(actor, (profile, config.name))
            config.delete()
        Catalogue.objects.filter(profile=profile).delete()
        row.delete()
        audit.note(actor, Action.DELETED, profile, "")
    schedule_moves.follow()


def _check(name: str, description: str) -> None:
    check_name("name", name)
    if name == TEMPLATE_PROFILE:
        raise ConfigInvalid("name", f"{name!r} is Fossul's template and no profile to it: use another name")
    if len(description) > LONGEST_DESCRIPTION or "\0" in description:
        raise ConfigInvalid("description", f"it must be text of up to {LONGEST_DESCRIPTION} characters")


def _locked(name: str) -> Profile:
    row = Profile.objects.select_for_update().filter(name=name).first()
    if row is None:
        raise NotFound(f"There is no profile {name!r}.")
    return row


@contextmanager
def _new_name(name: str) -> Iterator[None]:
    """Do what gives a profile ``name``; raise ConfigInvalid when there is one of that name."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise ConfigInvalid("name", f"there is a profile {name!r} already") from None
