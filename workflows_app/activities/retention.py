"""Retention with what a plugin alone does not know: what is held, and a record of what it deleted."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

from django.db import DatabaseError

from workflows_app.activities.abilities import capabilities_of
from workflows_app.activities.catalogues import forget_backup, note_backups
from workflows_app.activities.holds import held_in, held_names
from workflows_app.domain.config import Config
from workflows_app.domain.results import Result
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.models import Removal
from workflows_app.models.connections import drop_broken_connections
from workflows_app.plugins.base import HOLDS, KEEP_RULES, ArchivePlugin, PluginContext, StoragePlugin

logger = logging.getLogger(__name__)


def retain_backups(plugin: StoragePlugin, context: PluginContext, run: int) -> Result:
    """Let a storage plugin do its retention, and write down which backups are gone after it.

    A plugin that does not declare that it obeys holds, or the policy's keep rules, is not asked where there
    are any: that is said, and nothing is deleted. Raises what the plugin raises, and as ``held_names``.
    """
    config = context.config
    rules = config.keep_rules_of(config.selected_backup_policy)
    capabilities = capabilities_of(plugin.info)
    if _refuses_for_holds(context, capabilities) or _refuses_for_rules(
        context, capabilities, rules, "storage"
    ):
        _names(plugin, context)
        return Result()
    before = _names(plugin, context)
    try:
        return plugin.backup_delete_workflow(replace(context, held=held_names))
    finally:
        after = _names(plugin, context) if before else None
        if before and after is not None:
            _note(context, config, before - after, f"the retention of run {run}")


def retain_archives(plugin: ArchivePlugin, context: PluginContext) -> Result:
    """Let an archive plugin do its retention, as ``retain_backups`` does for a storage plugin."""
    rules = context.config.archive_keep_rules_of(context.config.selected_backup_policy)
    capabilities = capabilities_of(plugin.info)
    if _refuses_for_holds(context, capabilities) or _refuses_for_rules(
        context, capabilities, rules, "archive"
    ):
        return Result()
    return plugin.archive_delete(replace(context, held=held_names))


def note_removal(profile: str, config: str, backup: str, how: str) -> None:
    """Write down that a backup was deleted on purpose. Raises DatabaseError."""
    Removal.objects.update_or_create(
        profile=profile, config=config, backup=backup, defaults={"how": how, "time": datetime.now(UTC)}
    )
    forget_backup(profile, config, backup)


def _refuses_for_holds(context: PluginContext, capabilities: frozenset[str]) -> bool:
    held = held_in(context.config.profile_name, context.config.config_name)
    if not held or HOLDS in capabilities:
        return False
    context.warn(
        f"Nothing was deleted: {len(held)} restore points are held, and the plugin does not declare the "
        f"capability {HOLDS!r}, so it might delete them"
    )
    return True


def _refuses_for_rules(
    context: PluginContext, capabilities: frozenset[str], rules: KeepRules, family: str
) -> bool:
    if not rules or KEEP_RULES in capabilities:
        return False
    context.warn(
        f"Nothing was deleted: policy {context.config.selected_backup_policy!r} also keeps {rules.words}, "
        f"and the {family} plugin does not declare the capability {KEEP_RULES!r}"
    )
    return True


def _names(plugin: StoragePlugin, context: PluginContext) -> frozenset[str] | None:
    """The backups that there are, which is written down, too; None where that cannot be known."""
    quiet = replace(context, say=lambda level, text: None)
    begun = datetime.now(UTC)
    try:
        backups = plugin.backup_list(quiet)
    except Exception as error:  # a list for the record only must not fail the retention
        logger.info("The backups could not be listed for the record: %s", type(error).__name__)
        return None
    note_backups(context.config, backups, begun)
    return frozenset(backup.name for backup in backups)


def _note(context: PluginContext, config: Config, gone: frozenset[str], how: str) -> None:
    try:
        drop_broken_connections()
        for name in sorted(gone):
            note_removal(config.profile_name, config.config_name, name, how)
    except DatabaseError as error:
        context.warn(
            f"That {len(gone)} backups were deleted could not be written down ({type(error).__name__}): the "
            "page of restore points will show them as missing"
        )
