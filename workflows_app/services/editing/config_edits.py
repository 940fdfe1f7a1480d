"""What a configuration is: made, changed, and taken back to an earlier version."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction

from workflows_app.domain.config import check_name
from workflows_app.domain.config_files.configuration import (
    LONGEST_DESCRIPTION,
    NO_PLAN,
    Configuration,
    Family,
    FilePolicy,
)
from workflows_app.domain.config_files.secrets import is_secret
from workflows_app.domain.editing.config_problems import Declared, setting_problems
from workflows_app.domain.editing.policy_changes import successors_of
from workflows_app.domain.errors import ConfigInvalid, NotFound, SettingProblem, SettingsRefused
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.models import BackupConfig, Profile
from workflows_app.models.stored_configs import find_config
from workflows_app.services.configurations import plugins, versions
from workflows_app.services.configurations.config_rows import (
    Content,
    configuration_in,
    configuration_of,
    content_of,
    locked_row,
    store,
)
from workflows_app.services.configurations.plugins import Published
from workflows_app.services.editing.gone_policies import gone_words, let_others_follow
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.schedules import schedule_moves

LONGEST_REASON = 200
NOTHING_GONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Edit:
    """A configuration as it is to be edited: what it is now, and its version."""

    description: str
    configuration: Configuration
    version: int


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What another's change does to an edit, as lines without secrets.

    ``theirs`` are what was changed since the edit was opened, ``yours`` what saving it now would change.
    """

    theirs: tuple[str, ...]
    yours: tuple[str, ...]


def open_edit(actor: Actor, profile: str, name: str) -> Edit:
    """Answer a configuration with its secrets, to be edited. Raises NotAllowed; NotFound; SealBroken."""
    actor.require(Right.CONFIGURE)
    row = find_config(profile, name)
    return Edit(row.description, configuration_of(row), row.version)


def problems(description: str, configuration: Configuration, known: Published) -> tuple[SettingProblem, ...]:
    """Answer everything that keeps a configuration from being saved; ``known`` are all plugins."""
    found = list(setting_problems(configuration, declared_parameters(configuration, known)))
    if len(description) > LONGEST_DESCRIPTION or "\0" in description:
        found.append(
            SettingProblem("description", f"it must be text of up to {LONGEST_DESCRIPTION} characters")
        )
    return tuple(found)


def declared_parameters(configuration: Configuration, known: Published) -> Declared:
    """Answer what the configuration's plugins declare, as far as workers have told of them."""
    plugins_of = {family: known.find(family, family.plugin(configuration.config)) for family in Family}
    return {family: plugin.info.parameters for family, plugin in plugins_of.items() if plugin}


def create_config(
    actor: Actor, profile: str, name: str, description: str, configuration: Configuration, reason: str
) -> None:
    """Make a configuration; ``reason`` says how it came about.

    Raises NotAllowed; NotFound for an unknown profile; ConfigInvalid for a name that is none or is taken;
    SettingsRefused.
    """
    actor.require(Right.CONFIGURE)
    check_name("name", name)
    if not Profile.objects.filter(name=profile).exists():
        raise NotFound(f"There is no profile {profile!r}.")
    known = plugins.published(actor)
    _refuse(problems(description, configuration, known))
    taken = ConfigInvalid("name", f"there is a configuration {name!r} in profile {profile!r} already")
    try:
        with transaction.atomic():
            if BackupConfig.objects.filter(profile__name=profile, name=name).exists():
                raise taken
            _write(profile, name, description, configuration, known)
            versions.keep(actor, locked_row(profile, name), reason)
            audit.note(actor, Action.CREATED, profile, name, details=reason)
    except IntegrityError:
        raise taken from None


def save_config(
    actor: Actor,
    profile: str,
    name: str,
    opened: int,
    description: str,
    configuration: Configuration,
    successors: Mapping[str, str] = NOTHING_GONE,
) -> bool:
    """Change a configuration that was opened at version ``opened``; answer whether anything was different.

    A run that is under way keeps what it was started with. ``successors`` says of each policy that is gone
    which new one takes its place, and gets its runs and schedules; with ``""`` schedules are deleted. Raises
    NotAllowed; NotFound; SettingsRefused; PoliciesGone and ConfigInvalid as ``successors_of``; Outdated when
    somebody else has changed it since. Nothing is changed then.
    """
    actor.require(Right.CONFIGURE)
    known = plugins.published(actor)
    with transaction.atomic():
        row = locked_row(profile, name)
        versions.refuse_outdated(row, opened)
        _refuse(problems(description, configuration, known))
        before = (row.description, configuration_of(row))
        configuration = _completed(configuration, before[1])
        if description == before[0] and _same(configuration, before[1]):
            return False
        gone = successors_of(before[1], configuration, successors)
        _write(profile, name, description, configuration, known)
        number = versions.keep(actor, row, _touched(before, (description, configuration)))
        audit.note(actor, Action.EDITED, profile, name, details=f"version {number}{gone_words(gone)}")
        let_others_follow(actor, profile, name, gone)
    if gone:
        schedule_moves.follow()
    return True


def go_back(
    actor: Actor,
    profile: str,
    name: str,
    number: int,
    opened: int,
    successors: Mapping[str, str] = NOTHING_GONE,
) -> bool:
    """Make a configuration what its version ``number`` was, as a new version. Raises as a save does.

    Answers whether anything was different.
    """
    actor.require(Right.CONFIGURE)
    content = versions.content_at(profile, name, number)
    configuration, known = configuration_in(content), plugins.published(actor)
    with transaction.atomic():
        row = locked_row(profile, name)
        versions.refuse_outdated(row, opened)
        _refuse(problems(content["description"], configuration, known))
        if _is(row, content):
            return False
        gone = successors_of(configuration_of(row), configuration, successors)
        _write(profile, name, content["description"], configuration, known)
        versions.keep(actor, row, f"back to version {number}")
        words = f"back to version {number}{gone_words(gone)}"
        audit.note(actor, Action.WENT_BACK, profile, name, details=words)
        let_others_follow(actor, profile, name, gone)
    if gone:
        schedule_moves.follow()
    return True


def configuration_at(actor: Actor, profile: str, name: str, number: int) -> Configuration:
    """Answer what a configuration was in a version, with its secrets.

    Raises NotAllowed; NotFound; SealBroken.
    """
    actor.require(Right.CONFIGURE)
    return configuration_in(versions.content_at(profile, name, number))


def rename_policy(actor: Actor, profile: str, name: str, policy: str, new: str) -> None:
    """Give a policy another name; its rules, runs and schedules follow it.

    Its restore points and archives keep the old name, which is part of theirs, and no retention acts on them
    any more. Raises as ``save_config``; NotFound for a policy that is not there; ConfigInvalid for a name
    that is none or is taken.
    """
    edit = open_edit(actor, profile, name)
    policies = edit.configuration.policies
    names = [each.name for each in policies]
    if policy not in names:
        raise NotFound(f"{profile}/{name} has no policy {policy!r}.")
    check_name("name", new)
    if new == policy:
        return
    if new in names:
        raise ConfigInvalid("name", f"there is a policy {new!r} already")
    renamed = tuple(replace(each, name=new) if each.name == policy else each for each in policies)
    changed = replace(edit.configuration, policies=renamed)
    save_config(actor, profile, name, edit.version, edit.description, changed, {policy: new})


def meanwhile(
    actor: Actor, profile: str, name: str, opened: int, description: str, configuration: Configuration
) -> Meanwhile:
    """Answer what was changed since version ``opened``, and what saving an edit of that would change now.

    Raises NotAllowed; NotFound.
    """
    actor.require(Right.CONFIGURE)
    now = open_edit(actor, profile, name)
    declared = plugins.declared_secrets()
    current = versions.content_at(profile, name, now.version)
    theirs: tuple[str, ...] = ()
    if opened:
        before = versions.content_at(profile, name, opened)
        theirs = versions.content_changes(before, current, (f"version {opened}", "now"), declared)
    yours = versions.text_changes(
        (now.description, now.configuration), (description, configuration), ("now", "yours"), declared
    )
    return Meanwhile(theirs, yours)


def _write(profile: str, name: str, description: str, configuration: Configuration, known: Published) -> None:
    secret = partial(is_secret, declared=known.declared_secrets)
    row = store(profile, name, configuration, secret=secret)
    BackupConfig.objects.filter(pk=row.pk).update(description=description)


def _refuse(found: tuple[SettingProblem, ...]) -> None:
    if found:
        raise SettingsRefused(found)


def _completed(configuration: Configuration, stored: Configuration) -> Configuration:
    """The configuration with the keep rules that are stored, for policies that say nothing of theirs."""
    before = {policy.name: policy for policy in stored.policies}
    policies = tuple(p.with_rules_of(before.get(p.name, p)) for p in configuration.policies)
    return replace(configuration, policies=policies)


def _same(one: Configuration, other: Configuration) -> bool:
    return _comparable(one) == _comparable(other)


def _is(row: BackupConfig, content: Content) -> bool:
    """Whether a configuration is what a version keeps, however its secrets are sealed."""
    now = content_of(row)
    return now["description"] == content["description"] and _same(
        configuration_in(now), configuration_in(content)
    )


def _comparable(
    configuration: Configuration,
) -> tuple[dict[str, Any], tuple[FilePolicy, ...], PlanLayout]:
    settled = configuration.settled()
    policies = tuple(policy.completed() for policy in settled.policies)
    return settled.config.wire(), policies, settled.plan or NO_PLAN


def _touched(old: tuple[str, Configuration], new: tuple[str, Configuration]) -> str:
    """Which parts a change touched, in words and without values."""
    before, after = _comparable(old[1]), _comparable(new[1])
    parts = {
        "the description": old[0] != new[0],
        "policies": before[1] != after[1],
        "the plan": before[2] != after[2],
    }
    keys = before[0].keys() | after[0].keys()
    parts |= {key: before[0].get(key) != after[0].get(key) for key in sorted(keys)}
    return ("changed " + ", ".join(part for part, differs in parts.items() if differs))[:LONGEST_REASON]
