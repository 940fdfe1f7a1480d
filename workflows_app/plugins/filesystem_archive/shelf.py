"""Archives in folders of another disk: each is complete under its name, or hidden."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Archive
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.archiving.landing import NewFolder, new_folder
from workflows_app.plugins.archiving.names import archive_of, sorted_archives
from workflows_app.plugins.archiving.record import read_record
from workflows_app.plugins.archiving.shelf import Advance
from workflows_app.plugins.archiving.source import SourceEntry, cannot_read
from workflows_app.plugins.archiving.sums import Sums
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.deletion import delete_backup
from workflows_app.plugins.filesystem.folder import backups_folder
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem_archive.parameters import Parameters
from workflows_app.plugins.wording import reason_of, shown

RECORD = ".fossul-archive.jsonl"

_PARTIAL = ".partial"
_HIDDEN = re.compile(r"\.(.+)\.(?:partial|deleted)")
_PIECE = 1024 * 1024


class FolderShelf:
    """The archives of a configuration below ``ArchivePath``."""

    def __init__(self, context: PluginContext, parameters: Parameters) -> None:
        self._context = context
        self._folder = backups_folder(parameters.root, parameters.profile, parameters.config)
        self.where = str(self._folder)

    def archives(self) -> tuple[Archive, ...]:
        """The complete archives, the oldest first: those whose folder has a record."""
        found = []
        try:
            for name in self._names():
                archive = archive_of(name)
                if archive is not None and (self._folder / name / RECORD).is_file():
                    found.append(archive)
        except OSError as error:
            raise self._failed("list the archives", error) from error
        return sorted_archives(found)

    def leftovers(self) -> tuple[str, ...]:
        """What is hidden under the name of an archive."""
        try:
            names = {match[1] for name in self._names() if (match := _HIDDEN.fullmatch(name))}
        except OSError as error:
            raise self._failed("look for interrupted archives", error) from error
        return tuple(sorted(name for name in names if archive_of(name)))

    def clear(self, name: str) -> None:
        """Remove what is hidden of an archive."""
        try:
            for suffix in (_PARTIAL, ".deleted"):
                hidden = self._folder / f".{name}{suffix}"
                if os.path.lexists(hidden):
                    shutil.rmtree(hidden)
        except OSError as error:
            raise self._failed(f"remove the rest of archive {shown(name)}", error) from error

    def delete(self, name: str) -> None:
        """Delete an archive: hidden first, and then removed."""
        try:
            delete_backup(self._folder, name)
        except OSError as error:
            raise self._failed(f"delete archive {shown(name)}", error) from error

    def locked_until(self, name: str) -> datetime | None:
        """Never: a folder knows no locks."""
        return None

    @contextmanager
    def put(self, name: str) -> Iterator["FolderParcel"]:
        """A new archive. Raises PluginFailed when there is one of that name, or no room for it."""
        final = self._folder / name
        if os.path.lexists(final):
            raise PluginFailed(f"There is an archive {shown(str(final))} already, which is left as it is")
        with new_folder(self._folder, name, _PARTIAL, "ArchivePath", self._context.warn) as landing:
            yield FolderParcel(self._context, landing, name)

    def record(self, name: str) -> Iterator[bytes]:
        """The pieces of an archive's record."""
        return self._read(name, RECORD)

    def pieces(self, name: str, path: str) -> Iterator[bytes]:
        """The pieces of a file of an archive."""
        return self._read(name, path)

    def _read(self, name: str, path: str) -> Iterator[bytes]:
        full = self._folder / name / path
        folder = Path(os.path.realpath(full.parent))
        if not folder.is_relative_to(self._folder / name):
            raise PluginFailed(f"{shown(str(full))} leads out of the archive: it was tampered with")
        try:
            descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            raise PluginFailed(
                f"There is no complete archive {shown(name)} in {shown(self.where)}: {shown(path)} is missing"
            ) from None
        except OSError as error:
            raise self._failed(f"read {shown(str(full))}", error) from error
        try:
            while piece := os.read(descriptor, _PIECE):
                yield piece
        except OSError as error:
            raise self._failed(f"read {shown(str(full))}", error) from error
        finally:
            os.close(descriptor)

    def _names(self) -> list[str]:
        try:
            return [entry.name for entry in os.scandir(self._folder) if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []

    def _failed(self, what: str, error: OSError) -> PluginFailed:
        return PluginFailed(
            f"Cannot {what} in {shown(self.where)}: {reason_of(error)}. Check ArchivePath and its "
            f"permissions for the worker's user (uid {os.geteuid()})"
        )


class FolderParcel:
    """An archive in the making: a hidden folder."""

    def __init__(self, context: PluginContext, landing: NewFolder, name: str) -> None:
        self._context = context
        self._landing = landing
        self._name = name

    def add_folder(self, path: str) -> None:
        """Make a folder."""
        self._landing.add_folder(path)

    def add_file(self, entry: SourceEntry, advance: Advance) -> Sums:
        """Copy a file; ``publish`` reads it back."""
        free = shutil.disk_usage(self._landing.path).free
        if entry.size > free:
            raise PluginFailed(
                f"Not enough space for {shown(entry.path)} in ArchivePath: it has {size_words(entry.size)}, "
                f"{size_words(free)} are free. Make room, or keep fewer archives"
            )
        return self._landing.add_file(entry.path, _pieces(entry.full, advance))

    def publish(self, record: BinaryIO) -> None:
        """Hold all files, read back from disk, against the record, and give the folder its name."""
        progress = Progress(self._context.report, "verifying")
        for entry in read_record(record, self._name):
            if entry.sums is not None:
                self._verify(entry.path, entry.sums, progress)
        progress.tell()
        record.seek(0)
        self._landing.add_file(RECORD, iter(lambda: record.read(_PIECE), b""))
        self._landing.publish()

    def _verify(self, path: str, expected: Sums, progress: Progress) -> None:
        digest, size = hashlib.sha256(), 0
        advance = progress.cancellable(self._context.check_cancelled)
        for piece in _pieces(self._landing.path / path, advance):
            digest.update(piece)
            size += len(piece)
        progress.advance(files=1)
        if Sums(size, digest.hexdigest()) != expected:
            raise PluginFailed(
                f"The copy of {shown(path)} in ArchivePath is not what was written: check that disk"
            )


def _pieces(path: Path, advance: Advance) -> Iterator[bytes]:
    """Read a file of the backup, or of its copy."""
    try:
        with path.open("rb", buffering=0) as file:
            while piece := file.read(_PIECE):
                yield piece
                advance(len(piece))
    except OSError as error:
        raise cannot_read(path, error) from error
