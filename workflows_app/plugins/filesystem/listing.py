"""Finds the backups that exist at a destination."""

import os
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.naming import parse_backup_name
from workflows_app.domain.results import Backup, Content
from workflows_app.plugins.filesystem.archive import ARCHIVE_SUFFIX
from workflows_app.plugins.filesystem.folder import backups_folder
from workflows_app.plugins.filesystem.layout import TREE
from workflows_app.plugins.filesystem.manifest import MANIFEST_SUFFIX, Header, ManifestBroken, read_ends
from workflows_app.plugins.wording import reason_of, shown


def list_backups(destination: Path, profile: str, config: str) -> tuple[Backup, ...]:
    """The complete backups of a configuration, the oldest first.

    Only folders count whose name is a backup's and that hold an archive or a tree, and a complete manifest.
    None, when the configuration has no folder yet.

    Raises PluginFailed when the destination does not exist or anything in it cannot be read: an empty
    answer would say that there are no backups. Raises ConfigInvalid for a name that is none.
    """
    folder = backups_folder(destination, profile, config)
    try:
        destination.stat()
        try:
            names = [entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return ()
        backups = [backup for name in names if (backup := _backup(folder, name)) is not None]
    except OSError as error:
        raise PluginFailed(
            f"Cannot list the backups in {shown(str(error.filename or folder))}: {reason_of(error)}. Check "
            f"BackupDestPath and its permissions for the worker's user (uid {os.geteuid()})"
        ) from error
    return tuple(sorted(backups, key=lambda backup: (backup.epoch, backup.name)))


def content_path(folder: Path, name: str, header: Header) -> Path:
    """Where the content of a backup is: its archive, or the folder of its tree."""
    return folder / name / (TREE if header.is_tree else f"{name}{ARCHIVE_SUFFIX}")


def contents(sources: tuple[str, ...], archive: str, size: int) -> tuple[Content, ...]:
    """What a backup holds: one content for each source, all in the same archive or tree of ``size`` bytes."""
    return tuple(
        Content(type="filesystem", source=_text(source), data=archive, size=str(size)) for source in sources
    )


def _backup(folder: Path, name: str) -> Backup | None:
    """The backup in a folder of that name; None when there is no complete one. Raises OSError."""
    backup = parse_backup_name(name)
    if backup is None:
        return None
    try:
        header, footer = read_ends(folder / name / f"{name}{MANIFEST_SUFFIX}")
        content_path(folder, name, header).stat()
    except (FileNotFoundError, ManifestBroken):
        return None
    return backup.model_copy(update={"contents": contents(header.sources, footer.file, footer.size)})


def _text(path: str) -> str:
    """A path as text that JSON can carry; bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode(errors="backslashreplace")
