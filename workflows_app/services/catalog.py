"""The catalogue: profiles, configurations and policies, as plain values."""

from dataclasses import dataclass

from django.db.models import Count, Prefetch

from workflows_app.domain.config import Config, Retention, WhenBusy
from workflows_app.domain.errors import ConfigInvalid, NotFound
from workflows_app.domain.plan_layouts import PlanLayout
from workflows_app.domain.planned_backups import planned_backup
from workflows_app.domain.plans import Plan
from workflows_app.models import BackupConfig, Policy, Profile
from workflows_app.services.permissions import Actor, Right


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """A policy: its name, how many backups and archives it keeps, and what a start does when busy."""

    name: str
    keep_backups: int
    keep_archives: int
    when_busy: WhenBusy = WhenBusy.REFUSE


@dataclass(frozen=True, slots=True)
class ConfigSummary:
    """A configuration as a list shows it."""

    profile: str
    name: str
    description: str
    app_plugin: str
    storage_plugin: str
    policies: tuple[PolicySummary, ...]


@dataclass(frozen=True, slots=True)
class ProfileSummary:
    """A profile as a list shows it."""

    name: str
    description: str
    configs: int


@dataclass(frozen=True, slots=True)
class ProfileDetail:
    """A profile with its configurations."""

    name: str
    description: str
    configs: tuple[ConfigSummary, ...]


@dataclass(frozen=True, slots=True)
class ConfigDetail:
    """A configuration with everything that a run of it uses, before the run's own additions."""

    summary: ConfigSummary
    config: Config
    layout: PlanLayout


@dataclass(frozen=True, slots=True)
class BackupOrder:
    """What a backup under one policy is started with, checked."""

    config: Config
    plan: Plan
    when_busy: WhenBusy


def list_profiles(actor: Actor) -> tuple[ProfileSummary, ...]:
    """Answer all profiles, by name. Raises NotAllowed."""
    actor.require(Right.VIEW)
    profiles = Profile.objects.annotate(size=Count("configs"))
    return tuple(ProfileSummary(p.name, p.description, p.size) for p in profiles)


def get_profile(actor: Actor, name: str) -> ProfileDetail:
    """Answer a profile with its configurations. Raises NotAllowed, NotFound."""
    actor.require(Right.VIEW)
    profile = Profile.objects.filter(name=name).first()
    if profile is None:
        raise NotFound(f"There is no profile {name!r}.")
    return ProfileDetail(profile.name, profile.description, list_configs(actor, name))


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
    row = (
        BackupConfig.objects.select_related("profile")
        .prefetch_related(Prefetch("policies", Policy.objects.order_by("position", "name")))
        .filter(profile__name=profile, name=name)
        .first()
    )
    if row is None:
        if not Profile.objects.filter(name=profile).exists():
            raise NotFound(f"There is no profile {profile!r}.")
        raise NotFound(f"There is no configuration {name!r} in profile {profile!r}.")
    return ConfigDetail(_summary(row), _config(row), PlanLayout.model_validate(row.plan))


def order_backup(actor: Actor, profile: str, name: str, policy: str) -> BackupOrder:
    """Answer what a backup under ``policy`` is started with.

    Raises NotAllowed; NotFound, saying which part is unknown; ConfigInvalid for a policy that keeps no
    backup (Fossul would delete every one, fossul-behaviour.md §7.4); PlanRefused for a plan that breaks a
    rule.
    """
    detail = get_config(actor, profile, name)
    config = detail.config
    keep = config.retention_of(policy)
    if keep == -1:
        known = ", ".join(r.policy for r in config.backup_retentions) or "none yet"
        raise NotFound(f"{profile}/{name} has no policy {policy!r}. Its policies: {known}.")
    if keep < 1:
        raise ConfigInvalid(
            "retentionNumber", f"policy {policy!r} of {profile}/{name} keeps {keep} backups; it must keep 1"
        )
    when_busy = next(p.when_busy for p in detail.summary.policies if p.name == policy)
    return BackupOrder(config, planned_backup(config, detail.layout), when_busy)


def _summary(row: BackupConfig) -> ConfigSummary:
    return ConfigSummary(
        profile=row.profile.name,
        name=row.name,
        description=row.description,
        app_plugin=str(row.settings.get("appPlugin", "")),
        storage_plugin=str(row.settings.get("storagePlugin", "")),
        policies=tuple(
            PolicySummary(p.name, p.keep_backups, p.keep_archives, WhenBusy(p.when_busy))
            for p in row.policies.all()
        ),
    )


def _config(row: BackupConfig) -> Config:
    policies = list(row.policies.all())
    return Config.model_validate(row.settings).model_copy(
        update={
            "profile_name": row.profile.name,
            "config_name": row.name,
            "backup_retentions": tuple(
                Retention(policy=p.name, retention_number=p.keep_backups) for p in policies
            ),
            "archive_retentions": tuple(
                Retention(policy=p.name, retention_number=p.keep_archives)
                for p in policies
                if p.keep_archives
            ),
        }
    )
