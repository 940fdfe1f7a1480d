"""A configuration's rows, as the value that its files hold, and back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NotRequired, TypedDict

from django.db.models import QuerySet

from workflows_app.domain.config import Config, WhenBusy
from workflows_app.domain.config_files.configuration import (
    NO_PLAN,
    SETTING_KEYS,
    Configuration,
    Family,
    FilePolicy,
)
from workflows_app.domain.config_files.secrets import is_secret
from workflows_app.domain.errors import NotFound
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.models import BackupConfig, Policy, Profile
from workflows_app.services.configurations.secrets import opened_settings, sealed_settings


class PolicyContent(TypedDict):
    """A policy in a version; the keys mean the same as in its row."""

    name: str
    keep_backups: int
    keep_archives: int
    when_busy: str
    keep_rules: NotRequired[dict[str, Any]]
    archive_keep_rules: NotRequired[dict[str, Any]]


class Content(TypedDict):
    """What a version keeps of a configuration; the keys mean the same as in its row."""

    description: str
    settings: dict[str, Any]
    plan: dict[str, Any]
    policies: list[PolicyContent]


_ATTRIBUTES = (*SETTING_KEYS.values(), *(family.parameters_attribute for family in Family))


def stored_configs() -> QuerySet[BackupConfig]:
    """All configurations with what ``configuration_of`` reads, by profile and name."""
    rows = BackupConfig.objects.select_related("profile").prefetch_related("policies")
    return rows.order_by("profile__name", "name")


def configuration_of(row: BackupConfig) -> Configuration:
    """The stored configuration, less what has no effect, its secrets opened. Raises SealBroken."""
    return configuration_in(content_of(row))


def exported_of(row: BackupConfig) -> Configuration:
    """The stored configuration with its description and whether it is disabled. Raises SealBroken."""
    return replace(configuration_of(row), description=row.description, disabled=row.disabled)


def content_of(row: BackupConfig) -> Content:
    """All that a version of a configuration keeps, as it is stored: secrets are sealed in it, too."""
    return Content(
        description=row.description,
        settings=row.settings,
        plan=row.plan,
        policies=[
            PolicyContent(
                name=p.name,
                keep_backups=p.keep_backups,
                keep_archives=p.keep_archives,
                when_busy=p.when_busy,
                keep_rules=p.keep_rules,
                archive_keep_rules=p.archive_keep_rules,
            )
            for p in row.policies.all()
        ],
    )


def configuration_in(content: Content) -> Configuration:
    """The configuration that a version keeps, as ``configuration_of`` answers it. Raises SealBroken."""
    policies = tuple(
        FilePolicy(
            name=p["name"],
            keep_backups=p["keep_backups"],
            keep_archives=p["keep_archives"],
            when_busy=WhenBusy(p["when_busy"]),
            keep_rules=KeepRules.model_validate(p.get("keep_rules", {})),
            archive_keep_rules=KeepRules.model_validate(p.get("archive_keep_rules", {})),
        )
        for p in content["policies"]
    )
    settings = opened_settings({k: v for k, v in content["settings"].items() if k in _json_keys()})
    config = Config.model_validate(settings)
    return Configuration(config, policies, PlanLayout.model_validate(content["plan"])).settled()


def locked_row(profile: str, name: str) -> BackupConfig:
    """The row of a configuration, which nobody else changes before the transaction ends. Raises NotFound."""
    rows = BackupConfig.objects.select_for_update(of=("self",)).select_related("profile")
    row = rows.filter(profile__name=profile, name=name).first()
    if row is None:
        raise NotFound(f"There is no configuration {name!r} in profile {profile!r}.")
    return row


def store(
    profile: str,
    name: str,
    configuration: Configuration,
    *,
    secret: Callable[[str, str], bool] = is_secret,
) -> BackupConfig:
    """Make or change the rows of a configuration, its secrets sealed, and answer its row.

    Policies that the configuration does not name are deleted; what the settings hold beside Fossul's keys
    stays, and so do the keep rules of a policy, the description, and whether it is disabled, where the
    configuration says nothing of them. ``secret`` says of a parameter's name and
    value whether it is one.
    """
    owner, _ = Profile.objects.get_or_create(name=profile)
    row = BackupConfig.objects.filter(profile=owner, name=name).first() or BackupConfig(
        profile=owner, name=name
    )
    keys = _json_keys()
    others = {key: value for key, value in row.settings.items() if key not in keys}
    values = {key: getattr(configuration.config, attribute) for key, attribute in keys.items()}
    row.settings = others | sealed_settings({key: value for key, value in values.items() if value}, secret)
    row.plan = configuration.layout.wire() if configuration.layout != NO_PLAN else {}
    if configuration.description is not None:
        row.description = configuration.description
    if configuration.disabled is not None:
        row.disabled = configuration.disabled
    row.save()
    row.policies.exclude(name__in=[policy.name for policy in configuration.policies]).delete()
    for position, policy in enumerate(configuration.policies):
        kept: dict[str, Any] = {
            "keep_backups": policy.keep_backups,
            "keep_archives": policy.keep_archives,
            "position": position,
            "when_busy": policy.when_busy or WhenBusy.REFUSE,
        }
        if policy.keep_rules is not None:
            kept["keep_rules"] = policy.keep_rules.wire()
        if policy.archive_keep_rules is not None:
            kept["archive_keep_rules"] = policy.archive_keep_rules.wire()
        Policy.objects.update_or_create(config=row, name=policy.name, defaults=kept)
    return row


def _json_keys() -> dict[str, str]:
    """Fossul's JSON keys of all that a configuration keeps in ``settings``, to the attributes of Config."""
    return {Config.model_fields[name].alias or name: name for name in _ATTRIBUTES}
