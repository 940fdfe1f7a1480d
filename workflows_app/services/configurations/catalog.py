"""The catalogue: profiles, configurations and policies, as plain values."""

from dataclasses import dataclass

from django.db.models import Count

from workflows_app.domain.config import Config, WhenBusy
from workflows_app.domain.errors import NotFound
from workflows_app.domain.plans.backup_orders import BackupOrder
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules
from workflows_app.domain.runs.protection import storage_mark
from workflows_app.models import BackupConfig, Profile
from workflows_app.models.stored_configs import (
    archive_keep_rules_of,
    config_of,
    find_config,
    keep_rules_of,
    stored_order,
)
from workflows_app.services.people.permissions import Actor, Right


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """A policy: its name, how many backups and archives it keeps, and what a start does when busy.

    ``keep_rules`` say what is kept beside the newest backups, ``archive_keep_rules`` the same of archives.
    """

    name: str
    keep_backups: int
    keep_archives: int
    when_busy: WhenBusy = WhenBusy.REFUSE
    keep_rules: KeepRules = NO_RULES
    archive_keep_rules: KeepRules = NO_RULES


@dataclass(frozen=True, slots=True)
class ConfigSummary:
    """A configuration as a list shows it. ``disabled`` when it, or its profile, is.

    ``by_profile`` says that its profile is, ``disabled_itself`` that its own switch is off, whatever its
    profile's. ``storage_mark`` tells where its backups are from other places
    (``domain.runs.protection.storage_mark``).
    """

    profile: str
    name: str
    description: str
    app_plugin: str
    storage_plugin: str
    policies: tuple[PolicySummary, ...]
    disabled: bool = False
    disabled_itself: bool = False
    by_profile: bool = False
    storage_mark: str = ""


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """A profile as a list shows it."""

    name: str
    description: str
    configs: int
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class ProfileDetail:
    """A profile with its configurations."""

    name: str
    description: str
    configs: tuple[ConfigSummary, ...]
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class ConfigDetail:
    """A configuration with everything that a run of it uses, before the run's own additions.

    ``version`` is the number of its version, 0 where none was ever kept.
    """

    summary: ConfigSummary
    config: Config
    layout: PlanLayout
    version: int = 0


def list_profiles(actor: Actor) -> tuple[ProfileSummary, ...]:
    """Answer all profiles, by name. Raises NotAllowed."""
    actor.require(Right.VIEW)
    profiles = Profile.objects.annotate(size=Count("configs"))
    return tuple(ProfileSummary(p.name, p.description, p.size, p.disabled) for p in profiles)


def get_profile(actor: Actor, name: str) -> ProfileDetail:
    """Answer a profile with its configurations. Raises NotAllowed, NotFound."""
    actor.require(Right.VIEW)
    profile = Profile.objects.filter(name=name).first()
    if profile is None:
        raise NotFound(f"There is no profile {name!r}.")
    return ProfileDetail(profile.name, profile.description, list_configs(actor, name), profile.disabled)


def list_configs(actor: Actor, profile: str | None = None) -> tuple[ConfigSummary, ...]:
    """Answer the configurations of a profile, or of all, by name. Raises NotAllowed."""
    actor.require(Right.VIEW)
    configs = BackupConfig.objects.select_related("profile").prefetch_related("policies")
    if profile is not None:
        configs = configs.filter(profile__name=profile)
    return tuple(_summary(config) for config in configs.order_by("profile__name", "name"))


def get_config(actor: Actor, profile: str, name: str) -> ConfigDetail:
    """Answer a configuration. Raises NotAllowed; NotFound, saying which part is unknown."""
    actor.require(Right.VIEW)
    row = find_config(profile, name)
    return ConfigDetail(_summary(row), config_of(row), PlanLayout.model_validate(row.plan), row.version)


def order_backup(actor: Actor, profile: str, name: str, policy: str) -> BackupOrder:
    """Answer what a backup under ``policy`` is started with.

    Raises NotAllowed; NotFound, saying which part is unknown; NotNow for a disabled configuration;
    ConfigInvalid for a policy that keeps no backup (Fossul would delete every one, fossul-behaviour.md §7.4);
    PlanRefused for a plan that breaks a rule.
    """
    actor.require(Right.VIEW)
    return stored_order(profile, name, policy)


def _summary(row: BackupConfig) -> ConfigSummary:
    storage = str(row.settings.get("storagePlugin", ""))
    return ConfigSummary(
        profile=row.profile.name,
        name=row.name,
        description=row.description,
        app_plugin=str(row.settings.get("appPlugin", "")),
        storage_plugin=storage,
        policies=tuple(
            PolicySummary(
                p.name,
                p.keep_backups,
                p.keep_archives,
                WhenBusy(p.when_busy),
                keep_rules_of(p),
                archive_keep_rules_of(p),
            )
            for p in row.policies.all()
        ),
        disabled=row.disabled or row.profile.disabled,
        disabled_itself=row.disabled,
        by_profile=row.profile.disabled,
        storage_mark=storage_mark(storage, row.settings.get("storagePluginParameters", {})),
    )
