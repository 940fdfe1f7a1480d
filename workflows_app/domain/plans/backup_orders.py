"""What a backup is started with: the configuration as it is at that moment, checked."""

from collections.abc import Mapping
from dataclasses import dataclass

from workflows_app.domain.config import Config, WhenBusy
from workflows_app.domain.errors import ConfigInvalid, NotFound
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.plans.planned_backups import planned_backup
from workflows_app.domain.plans.plans import Plan


@dataclass(frozen=True, slots=True)
class BackupOrder:
    """What a backup under one policy is started with. ``version`` is the configuration's, 0: none."""

    config: Config
    plan: Plan
    when_busy: WhenBusy
    version: int = 0


def backup_order(
    config: Config, layout: PlanLayout, when_busy: Mapping[str, WhenBusy], policy: str, version: int = 0
) -> BackupOrder:
    """Answer the order for a backup of ``config`` under ``policy``; ``when_busy`` is by policy.

    Raises NotFound for an unknown policy; ConfigInvalid for one that keeps no backup (Fossul would delete
    every one, fossul-behaviour.md §7.4); PlanRefused for a plan that breaks a rule.
    """
    name = f"{config.profile_name}/{config.config_name}"
    keep = config.retention_of(policy)
    if keep == -1:
        known = ", ".join(r.policy for r in config.backup_retentions) or "none yet"
        raise NotFound(f"{name} has no policy {policy!r}. Its policies: {known}.")
    if keep < 1:
        raise ConfigInvalid(
            "retentionNumber", f"policy {policy!r} of {name} keeps {keep} backups; it must keep 1"
        )
    return BackupOrder(config, planned_backup(config, layout), when_busy[policy], version)
