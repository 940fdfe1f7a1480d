"""Brings an archived backup back to where the storage plugin keeps its own, so that it can be restored."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Backup, Result
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.archiving.landing import new_folder, writing
from workflows_app.plugins.archiving.names import archive_of, as_storage
from workflows_app.plugins.archiving.record import RecordEntry, read_record
from workflows_app.plugins.archiving.shelf import Shelf
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.folder import backups_folder
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.wording import files_words, shown

# Not that of the storage plugin's own half backups, which a backup at the same time would remove.
_SUFFIX = ".fetched"


def fetch_backup(context: PluginContext, shelf: Shelf, name: str) -> Result:
    """Copy an archive back to ``<BackupDestPath>/<profile>/<config>/<name>`` and answer its backup.

    Each file is held against the archive's record. Raises ConfigInvalid, PluginFailed (when the backup is
    there already, too) or Cancelled; then nothing of it is left there.
    """
    archive = archive_of(name)
    if archive is None:
        raise ConfigInvalid("archive", f"{name!r} is not the name of an archive")
    place = Place.of(as_storage(context))
    folder = backups_folder(place.destination, place.profile, place.config)
    if os.path.lexists(folder / name):
        raise PluginFailed(
            f"There is a backup {shown(str(folder / name))} already, which is left as it is: restore that "
            "one, or move it away first"
        )
    context.info(f"Fetching archive {name} from {shown(shelf.where)} to {shown(str(folder))}")
    with _record(context, shelf, name) as record:
        size, files = _measure(context, record, name)
        _check_room(place, size)
        progress = Progress(context.report, "fetching", size, files, context.info, "Fetched")
        leftover = folder / f".{name}{_SUFFIX}"
        if leftover.is_dir():
            context.warn(f"Removing {shown(str(leftover))}, which an interrupted fetch left behind")
            with writing(leftover, "BackupDestPath"):
                shutil.rmtree(leftover)
        with new_folder(folder, name, _SUFFIX, "BackupDestPath", context.warn) as landing:
            for entry in read_record(record, name):
                context.check_cancelled()
                if entry.sums is None:
                    landing.add_folder(entry.path)
                    continue
                found = landing.add_file(entry.path, _pieces(context, shelf, name, entry, progress))
                if found != entry.sums:
                    raise PluginFailed(
                        f"{shown(entry.path)} of archive {name} has {found.size} bytes and SHA-256 "
                        f"{found.sha256} instead of {entry.sums.size} bytes and SHA-256 "
                        f"{entry.sums.sha256}: the archive is damaged. Choose another one"
                    )
                progress.advance(files=1)
            progress.tell()
            context.check_cancelled()
            landing.publish()
    context.info(f"Archive {name} fetched: {files_words(files)}, {size_words(size)}, verified")
    return Result(
        backup=Backup(
            name=name,
            timestamp=archive.timestamp,
            epoch=archive.epoch,
            policy=archive.policy,
            workflow_id=archive.workflow_id,
        )
    )


@contextmanager
def _record(context: PluginContext, shelf: Shelf, name: str) -> Iterator[BinaryIO]:
    """The record of an archive, as a file of its own."""
    with TemporaryFile() as file:
        for piece in shelf.record(name):
            context.check_cancelled()
            file.write(piece)
        file.seek(0)
        yield file


def _measure(context: PluginContext, record: BinaryIO, name: str) -> tuple[int, int]:
    """How many bytes and files an archive has; every line of its record is checked on the way."""
    size = files = 0
    for entry in read_record(record, name):
        context.check_cancelled()
        if entry.sums is not None:
            size += entry.sums.size
            files += 1
    record.seek(0)
    return size, files


def _check_room(place: Place, size: int) -> None:
    existing = place.destination
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if size > free:
        raise PluginFailed(
            f"Not enough space at {shown(str(existing))}: the backup needs {size_words(size)}, "
            f"{size_words(free)} are free. Make room in BackupDestPath"
        )


def _pieces(
    context: PluginContext, shelf: Shelf, name: str, entry: RecordEntry, progress: Progress
) -> Iterator[bytes]:
    for piece in shelf.pieces(name, entry.path):
        context.check_cancelled()
        progress.advance(len(piece))
        yield piece
