"""Copies sources into an archive, and writes into the manifest what went in."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.archive import ArchiveWriter
from workflows_app.plugins.filesystem.hard_links import HardLinks
from workflows_app.plugins.filesystem.manifest import ManifestWriter
from workflows_app.plugins.filesystem.members import Member, archived_path, tar_header
from workflows_app.plugins.filesystem.notices import Notice, Notices
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.scan import Scanned, Unreadable
from workflows_app.plugins.filesystem.sparse import data_segments
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.filesystem.walk import Entry, walk
from workflows_app.plugins.filesystem.wording import shown

PIECE = 1024 * 1024
"""How much is read at once at most, in bytes."""

_ZEROS = memoryview(bytes(PIECE))
# What opening a regular file answers when a link, a socket or a device node took its place.
_NO_FILE = (errno.ELOOP, errno.ENXIO, errno.ENODEV)

_Update = Callable[[memoryview], None]


class _Replaced(Exception):
    """What was to be read is no regular file any more."""


class Copy:
    """One pass over the sources. Raises PluginFailed and what ``check_cancelled`` raises.

    ``files`` counts every member but directories, ``bytes`` the content of the regular files.
    """

    def __init__(
        self,
        archive: ArchiveWriter,
        manifest: ManifestWriter,
        notices: Notices,
        progress: Progress,
        throttle: Throttle,
        check_cancelled: Callable[[], None],
    ) -> None:
        self._archive = archive
        self._manifest = manifest
        self._notices = notices
        self._progress = progress
        self._throttle = throttle
        self._check_cancelled = check_cancelled
        self._links = HardLinks()
        self._buffer = memoryview(bytearray(PIECE))
        self.files = 0
        self.bytes = 0

    def copy(self, scanned: Scanned) -> None:
        """Copy all that is in a source, and warn of what the scan saw and is not there any more."""
        for entry in walk(scanned.source, _refuse):
            self._check_cancelled()
            if entry.is_directory:
                self._put(Member.of_status(entry.path, entry.stat))
            elif not entry.is_socket:
                self._note_missing(scanned, entry.path)
                self._copy_entry(entry)
        self._note_missing(scanned, None)

    def _note_missing(self, scanned: Scanned, path: str | None) -> None:
        for missing in scanned.names.missing_before(path):
            self._notices.add(Notice.VANISHED, missing)

    def _copy_entry(self, entry: Entry) -> None:
        try:
            if (first := self._links.first(entry.stat)) is not None:
                link = archived_path(first)
                self._put(Member.of_status(entry.path, entry.stat, link=link, hard_link=True))
            elif entry.is_file:
                self._copy_file(entry)
            else:
                link = entry.target() if entry.is_link else ""
                self._put(Member.of_status(entry.path, entry.stat, link=link), entry.stat.st_rdev)
                self._links.meet(entry.path, entry.stat)
        except FileNotFoundError:
            self._notices.add(Notice.VANISHED, entry.path)
        except _Replaced:
            self._notices.add(Notice.REPLACED, entry.path)
        except OSError as error:
            _refuse(entry.path, error)
        else:
            self.files += 1
            self._progress.advance(files=1)

    def _put(self, member: Member, device: int = 0) -> None:
        """Write a member without data."""
        self._archive.write(tar_header(member, device))
        self._manifest.add(member)

    def _copy_file(self, entry: Entry) -> None:
        with _opened(entry) as descriptor:
            status = os.fstat(descriptor)
            size = status.st_size
            segments = data_segments(descriptor, status)
            member = Member.of_status(entry.path, status)
            self._archive.write(tar_header(member, segments=segments))
            digest = hashlib.sha256()
            position = 0
            for start, length in ((0, size),) if segments is None else segments:
                self._hash_hole(digest.update, start - position)
                self._copy_data(entry.path, descriptor, digest.update, start, length)
                position = start + length
            self._archive.pad()
            after = os.fstat(descriptor)
        if (after.st_size, after.st_mtime_ns) != (size, status.st_mtime_ns):
            self._notices.add(Notice.CHANGED, entry.path)
        self._manifest.add(replace(member, sha256=digest.hexdigest()))
        self._links.meet(entry.path, status)
        self.bytes += size

    def _copy_data(self, path: str, descriptor: int, update: _Update, start: int, length: int) -> None:
        """Copy ``length`` bytes from ``start``."""
        most = self._throttle.piece(PIECE)
        end = start + length
        while start < end:
            self._check_cancelled()
            read = os.preadv(descriptor, [self._buffer[: min(most, end - start)]], start)
            if not read:
                raise PluginFailed(
                    f"{shown(path)} shrank while it was copied: {end - start} bytes that it had are gone. "
                    "Freeze the application while it is backed up, or run the backup again"
                )
            piece = self._buffer[:read]
            update(piece)
            self._archive.write(piece)
            start += read
            self._progress.advance(read)
            self._throttle.took(read, self._check_cancelled)

    def _hash_hole(self, update: _Update, length: int) -> None:
        """Hash the zeros that a hole of ``length`` bytes reads as."""
        while length:
            self._check_cancelled()
            piece = min(length, PIECE)
            update(_ZEROS[:piece])
            length -= piece
            self._progress.advance(piece)


@contextmanager
def _opened(entry: Entry) -> Iterator[int]:
    """A descriptor of a regular file. Raises OSError, _Replaced when something else took its place."""
    try:
        descriptor = entry.open()
    except OSError as error:
        if error.errno in _NO_FILE:
            raise _Replaced from error
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _Replaced
        yield descriptor
    finally:
        os.close(descriptor)


def _refuse(path: str, error: OSError) -> None:
    """Raise PluginFailed for a file or directory that cannot be read."""
    unreadable = Unreadable()
    unreadable.add(path, error)
    unreadable.refuse()
