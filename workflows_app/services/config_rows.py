"""A configuration's rows, as the value that its files hold, and back."""

from django.db.models import QuerySet

from workflows_app.domain.config import Config, WhenBusy
from workflows_app.domain.config_files.configuration import (
    NO_PLAN,
    SETTING_KEYS,
    Configuration,
    Family,
    FilePolicy,
)
from workflows_app.domain.plan_layouts import PlanLayout
from workflows_app.models import BackupConfig, Policy, Profile
from workflows_app.services.secrets import opened_settings, sealed_settings

_ATTRIBUTES = (*SETTING_KEYS.values(), *(family.parameters_attribute for family in Family))


def stored_configs() -> QuerySet[BackupConfig]:
    """All configurations with what ``configuration_of`` reads, by profile and name."""
    rows = BackupConfig.objects.select_related("profile").prefetch_related("policies")
    return rows.order_by("profile__name", "name")


def configuration_of(row: BackupConfig) -> Configuration:
    """The stored configuration, less what has no effect, its secrets opened. Raises SealBroken."""
    policies = tuple(
        FilePolicy(p.name, p.keep_backups, p.keep_archives, WhenBusy(p.when_busy)) for p in row.policies.all()
    )
    settings = opened_settings({k: v for k, v in row.settings.items() if k in _json_keys()})
    config = Config.model_validate(settings)
    return Configuration(config, policies, PlanLayout.model_validate(row.plan)).settled()


def store(profile: str, name: str, configuration: Configuration) -> None:
    """Make or change the rows of a configuration, its secrets sealed; policies that it does not name are
    deleted.

    What the settings hold beside Fossul's keys stays.
    """
    owner, _ = Profile.objects.get_or_create(name=profile)
    row = BackupConfig.objects.filter(profile=owner, name=name).first() or BackupConfig(
        profile=owner, name=name
    )
    keys = _json_keys()
    others = {key: value for key, value in row.settings.items() if key not in keys}
    values = {key: getattr(configuration.config, attribute) for key, attribute in keys.items()}
    row.settings = others | sealed_settings({key: value for key, value in values.items() if value})
    row.plan = configuration.layout.wire() if configuration.layout != NO_PLAN else {}
    row.save()
    row.policies.exclude(name__in=[policy.name for policy in configuration.policies]).delete()
    for position, policy in enumerate(configuration.policies):
        Policy.objects.update_or_create(
            config=row,
            name=policy.name,
            defaults={
                "keep_backups": policy.keep_backups,
                "keep_archives": policy.keep_archives,
                "position": position,
                "when_busy": policy.when_busy or WhenBusy.REFUSE,
            },
        )


def _json_keys() -> dict[str, str]:
    """Fossul's JSON keys of all that a configuration keeps in ``settings``, to the attributes of Config."""
    return {Config.model_fields[name].alias or name: name for name in _ATTRIBUTES}
