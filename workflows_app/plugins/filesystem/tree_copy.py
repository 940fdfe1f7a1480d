"""Copies sources into a tree of plain files, and links what is in an earlier one already."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workflows_app.plugins.filesystem.changing import Noticing, present
from workflows_app.plugins.filesystem.hard_links import HardLinks
from workflows_app.plugins.filesystem.kept import Kept
from workflows_app.plugins.filesystem.landing import Landing
from workflows_app.plugins.filesystem.linking import Linking
from workflows_app.plugins.filesystem.manifest import ManifestWriter
from workflows_app.plugins.filesystem.members import Member, archived_path
from workflows_app.plugins.filesystem.notices import Notice, Notices
from workflows_app.plugins.filesystem.output import writing
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.reading import Opened, SourceReader
from workflows_app.plugins.filesystem.scan import Scanned
from workflows_app.plugins.filesystem.sparse import data_segments
from workflows_app.plugins.filesystem.unkept import note_unkept
from workflows_app.plugins.filesystem.walk import Entry
from workflows_app.plugins.filesystem.write_out import WriteOut

SETTLED_NS = 2_000_000_000
"""A file that changed as lately as this before it was read may change again within the same tick."""

STORED_MODE = 0o400
"""The mode of each complete file. Hard links share attributes, so the manifest has those of the source."""

# After a file of this size its line goes to the disk at once: copying it once more would be a pity.
_PRECIOUS = 1024 * 1024
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(slots=True)
class Copied:
    """What went into a tree: ``files`` counts all but directories, ``bytes`` the content of regular files.

    Of these, so many were copied; the others are linked.
    """

    files: int = 0
    bytes: int = 0
    copied_files: int = 0
    copied_bytes: int = 0
    linked_files: int = 0


class TreeCopy:
    """One pass over the sources, which come in the order of their paths.

    ``root`` is the folder of the tree that ``landing`` has open. Raises PluginFailed and what
    ``check_cancelled`` raises.
    """

    def __init__(
        self,
        root: Path,
        landing: Landing,
        linking: Linking,
        manifest: ManifestWriter,
        notices: Notices,
        progress: Progress,
        reader: SourceReader,
        write_out: WriteOut,
        check_cancelled: Callable[[], None],
    ) -> None:
        self._root = root
        self._landing = landing
        self._linking = linking
        self._manifest = manifest
        self._notices = notices
        self._progress = progress
        self._reader = reader
        self._write_out = write_out
        self._check_cancelled = check_cancelled
        self._links = HardLinks()
        self.done = Copied()

    def copy(self, scanned: Scanned) -> None:
        """Copy all that is in a source, and warn of what the scan saw and is not there any more."""
        for entry in present(scanned, self._notices, self._check_cancelled):
            if entry.is_directory:
                note_unkept(entry, self._notices)
                member = Member.of_status(entry.path, entry.stat)
                with writing(self._root):
                    self._landing.enter(member)
                self._manifest.add(member)
                continue
            with Noticing(entry.path, self._notices):
                self._copy_entry(entry)
                self.done.files += 1
                self._progress.advance(files=1)

    def _copy_entry(self, entry: Entry) -> None:
        if (first := self._links.first(entry.stat)) is not None:
            link = archived_path(first)
            self._manifest.add(Member.of_status(entry.path, entry.stat, link=link, hard_link=True))
        elif entry.is_file:
            self._copy_file(entry)
        else:
            link = entry.target() if entry.is_link else device_text(entry.stat.st_rdev)
            self._manifest.add(Member.of_status(entry.path, entry.stat, link=link))
            self._links.meet(entry.path, entry.stat)

    def _copy_file(self, entry: Entry) -> None:
        began = time.time_ns()
        with Opened(entry) as (descriptor, status):
            note_unkept(entry, self._notices, descriptor)
            member = Member.of_status(entry.path, status)
            sha256 = self._link_unchanged(entry, descriptor, status, member)
            linked = sha256 is not None
            if sha256 is None:
                sha256 = self._copy_content(entry, descriptor, status, member)
                linked = self._linking.replace_copy(member._replace(sha256=sha256), status)
            after = os.fstat(descriptor)
        changed = (after.st_size, after.st_mtime_ns) != (status.st_size, status.st_mtime_ns)
        if changed:
            self._notices.add(Notice.CHANGED, entry.path)
        settled = not changed and began - status.st_ctime_ns > SETTLED_NS
        kept = Kept(status.st_ino, status.st_ctime_ns, linked) if settled else Kept(linked=linked)
        self._manifest.add(member._replace(sha256=sha256), kept)
        self._links.meet(entry.path, status)
        self._count(status.st_size, linked)

    def _link_unchanged(
        self, entry: Entry, descriptor: int, status: os.stat_result, member: Member
    ) -> str | None:
        before = self._progress.bytes

        def hash_source() -> str:
            segments = data_segments(descriptor, status)
            size = status.st_size
            return self._reader.content(entry.path, descriptor, size, segments, lambda at, piece: None)

        sha256 = self._linking.link_unchanged(member, status, hash_source)
        counted = self._progress.bytes - before
        # What was read in vain is read again to be copied, and counts then.
        self._progress.advance(-counted if sha256 is None else status.st_size - counted)
        return sha256

    def _copy_content(self, entry: Entry, descriptor: int, status: os.stat_result, member: Member) -> str:
        """Copy a file with its holes. Answers its hash."""
        segments = data_segments(descriptor, status)
        with writing(self._root):
            folder = self._landing.folder_of(member.path)
            copy = os.open(entry.name, _NEW, 0o600, dir_fd=folder)

        def put(position: int, piece: memoryview) -> None:
            with writing(self._root):
                while piece:
                    written = os.pwrite(copy, piece, position)
                    self._write_out.wrote(copy, written)
                    piece, position = piece[written:], position + written

        try:
            sha256 = self._reader.content(entry.path, descriptor, status.st_size, segments, put)
            with writing(self._root):
                os.ftruncate(copy, status.st_size)  # a hole at the end
                os.fchmod(copy, STORED_MODE)
        except BaseException:
            # The next run begins it anew, and on a full disk its room is needed.
            with suppress(OSError):
                os.unlink(entry.name, dir_fd=folder)
            raise
        finally:
            os.close(copy)
        return sha256

    def _count(self, size: int, linked: bool) -> None:
        self.done.bytes += size
        if linked:
            self.done.linked_files += 1
            return
        self.done.copied_files += 1
        self.done.copied_bytes += size
        if size >= _PRECIOUS:
            self._manifest.flush()


def device_text(device: int) -> str:
    """How a tree's manifest says which device a node is: ``major:minor``; empty for none."""
    return f"{os.major(device)}:{os.minor(device)}" if device else ""


def device_number(text: str) -> int:
    """The number of a device that ``device_text`` says; 0 for none. Raises ValueError."""
    if not text:
        return 0
    major, _, minor = text.partition(":")
    return os.makedev(int(major), int(minor))
