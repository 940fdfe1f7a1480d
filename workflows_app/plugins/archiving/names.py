"""The names of archives, which are those of their backups, and the storage that the backups are in."""

from dataclasses import replace

from workflows_app.domain.naming import parse_backup_name
from workflows_app.domain.results import Archive
from workflows_app.plugins.base import PluginContext


def archive_of(name: str) -> Archive | None:
    """The archive of the backup of that full name; None when the name is no backup's (§7.3)."""
    backup = parse_backup_name(name)
    return Archive.model_validate(backup.model_dump(exclude={"contents"})) if backup else None


def sorted_archives(archives: list[Archive]) -> tuple[Archive, ...]:
    """The oldest first, as backups are listed."""
    return tuple(sorted(archives, key=lambda archive: (archive.epoch, archive.name)))


def as_storage(context: PluginContext) -> PluginContext:
    """The call as the storage plugin would get it.

    Where backups are kept is said by its parameters (``BackupDestPath``, ``BackupName``), which Fossul's
    archive plugins read, too (§7.7).
    """
    return replace(context, parameters=context.config.storage_plugin_parameters)


def is_inner_path(path: object) -> bool:
    """Whether it is a relative path that cannot lead out of the folder that it is relative to."""
    if not isinstance(path, str) or "\0" in path:
        return False
    return not any(part in ("", ".", "..") for part in path.split("/"))
