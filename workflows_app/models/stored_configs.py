"""Configurations as runs use them, read from their rows: for services and activities alike."""

from django.db.models import Prefetch, Q

from workflows_app.domain.config import Config, Retention, WhenBusy
from workflows_app.domain.errors import NotFound, NotNow
from workflows_app.domain.plans.backup_orders import BackupOrder, backup_order
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.models.catalog import BackupConfig, Policy, Profile


def find_config(profile: str, name: str) -> BackupConfig:
    """Answer the row of a configuration, its profile and policies with it. Raises NotFound."""
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
    return row


def config_of(row: BackupConfig) -> Config:
    """Answer the configuration that a row holds, its secrets as they are stored."""
    policies = list(row.policies.all())
    return Config.model_validate(row.settings).model_copy(
        update={
            "profile_name": row.profile.name,
            "config_name": row.name,
            "backup_retentions": tuple(
                Retention(policy=p.name, retention_number=p.keep_backups, keep_rules=keep_rules_of(p))
                for p in policies
            ),
            "archive_retentions": tuple(
                Retention(
                    policy=p.name,
                    retention_number=p.keep_archives,
                    keep_rules=archive_keep_rules_of(p),
                )
                for p in policies
                if p.keep_archives or archive_keep_rules_of(p)
            ),
        }
    )


def refuse_disabled(profile: str, name: str) -> None:
    """Raise NotNow while a configuration, or its profile, is disabled."""
    rows = BackupConfig.objects.filter(profile__name=profile, name=name)
    if rows.filter(Q(disabled=True) | Q(profile__disabled=True)).exists():
        raise NotNow(f"{profile}/{name} is disabled: no backup of it starts until it is enabled again.")


def stored_order(profile: str, name: str, policy: str) -> BackupOrder:
    """Answer what a backup under ``policy`` is started with now.

    Raises NotFound, saying which part is unknown; NotNow for a disabled configuration; ConfigInvalid and
    PlanRefused as ``backup_order``.
    """
    row = find_config(profile, name)
    refuse_disabled(profile, name)
    when_busy = {p.name: WhenBusy(p.when_busy) for p in row.policies.all()}
    return backup_order(config_of(row), PlanLayout.model_validate(row.plan), when_busy, policy, row.version)


def keep_rules_of(row: Policy) -> KeepRules:
    """What a policy keeps beside its newest backups."""
    return KeepRules.model_validate(row.keep_rules)


def archive_keep_rules_of(row: Policy) -> KeepRules:
    """What a policy keeps beside its newest archives."""
    return KeepRules.model_validate(row.archive_keep_rules)
