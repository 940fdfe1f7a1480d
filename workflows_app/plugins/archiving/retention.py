"""Archive retention: deletes the archives that a policy no longer keeps, in Fossul's words (§7.4)."""

from datetime import UTC, datetime

from workflows_app.domain.config import check_name
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.naming import base_name
from workflows_app.domain.results import Level, Result
from workflows_app.domain.retention.archive_retention import expired_archives
from workflows_app.plugins.archiving.archive import remove_leftovers
from workflows_app.plugins.archiving.names import as_storage
from workflows_app.plugins.archiving.shelf import Shelf
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.storing.names import own_name


def delete_expired_archives(context: PluginContext, shelf: Shelf) -> Result:
    """Delete what the run's policy no longer keeps of the configuration's archives of its ``BackupName``.

    It keeps its newest ones, and what its keep rules keep beside them
    (``domain.retention.archive_retention``). A policy without archive retention (-1) keeps all of them, with
    a warning, where Fossul deletes all. What is held stays, and what the storage has locked until its lock
    ends; both are told. An archive that cannot be deleted is told at level ERROR and ends the work with code
    1. Raises ConfigInvalid (for a retention of 0, too) and PluginFailed before anything is deleted; Cancelled
    between two deletions, and PluginFailed when what is held can no longer be read.
    """
    config = context.config
    own = own_name(as_storage(context))
    base = config.storage_plugin_parameters.get("BackupName") or config.config_name
    check_name("BackupName", base)
    policy, keep = config.selected_backup_policy, config.selected_archive_retention
    rules = config.archive_keep_rules_of(policy)
    archives = [a for a in shelf.archives() if a.policy == policy and base_name(a) == base]
    count = len(archives)
    if keep == -1:
        context.warn(
            f"Archive deletion skipped, policy {policy!r} has no archive retention: all [{count}] archives "
            "are kept"
        )
        return Result()
    surplus = expired_archives(archives, policy=policy, keep=keep, made=own, rules=rules)
    context.held()  # What cannot be read is in the way before anything is removed.
    remove_leftovers(context, shelf)
    if not surplus:
        context.info(
            f"Archive deletion skipped, there are [{count}] archives but archive retention is [{keep}]"
        )
    now = datetime.now(UTC)
    for archive in surplus:
        context.check_cancelled()
        if archive.name in context.held():
            context.info(f"Archive {archive.name} is held and stays")
            continue
        context.info(f"Number of archives [{count}] greater than archive retention [{keep}]")
        try:
            locked = shelf.locked_until(archive.name)
            if locked is not None and locked > now:
                context.info(f"Archive {archive.name} is locked until {locked:%Y-%m-%d %H:%M} UTC and stays")
                continue
            context.info(f"Deleting archive {archive.name}")
            shelf.delete(archive.name)
        except PluginFailed as error:
            context.say(Level.ERROR, f"Archive {archive.name} delete failed! {error}")
            return Result(code=1)
        context.info(f"Archive {archive.name} deleted successfully")
        count -= 1
    return Result()
