"""Copies sources into an archive, and writes into the manifest what went in."""

import os
from collections.abc import Callable

from workflows_app.plugins.filesystem.archive import ArchiveWriter
from workflows_app.plugins.filesystem.changing import Noticing, present
from workflows_app.plugins.filesystem.hard_links import HardLinks
from workflows_app.plugins.filesystem.manifest import ManifestWriter
from workflows_app.plugins.filesystem.members import Member, archived_path, tar_header
from workflows_app.plugins.filesystem.notices import Notice, Notices
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.reading import Opened, SourceReader
from workflows_app.plugins.filesystem.scan import Scanned
from workflows_app.plugins.filesystem.sparse import data_segments
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.filesystem.unkept import note_unkept
from workflows_app.plugins.filesystem.walk import Entry


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
        self._reader = SourceReader(throttle, progress, check_cancelled)
        self._check_cancelled = check_cancelled
        self._links = HardLinks()
        self.files = 0
        self.bytes = 0

    def copy(self, scanned: Scanned) -> None:
        """Copy all that is in a source, and warn of what the scan saw and is not there any more."""
        for entry in present(scanned, self._notices, self._check_cancelled):
            if entry.is_directory:
                note_unkept(entry, self._notices)
                self._put(Member.of_status(entry.path, entry.stat))
                continue
            with Noticing(entry.path, self._notices):
                self._copy_entry(entry)
                self.files += 1
                self._progress.advance(files=1)

    def _copy_entry(self, entry: Entry) -> None:
        if (first := self._links.first(entry.stat)) is not None:
            link = archived_path(first)
            self._put(Member.of_status(entry.path, entry.stat, link=link, hard_link=True))
        elif entry.is_file:
            self._copy_file(entry)
        else:
            link = entry.target() if entry.is_link else ""
            self._put(Member.of_status(entry.path, entry.stat, link=link), entry.stat.st_rdev)
            self._links.meet(entry.path, entry.stat)

    def _put(self, member: Member, device: int = 0) -> None:
        """Write a member without data."""
        self._archive.write(tar_header(member, device))
        self._manifest.add(member)

    def _copy_file(self, entry: Entry) -> None:
        with Opened(entry) as (descriptor, status):
            note_unkept(entry, self._notices, descriptor)
            size = status.st_size
            segments = data_segments(descriptor, status)
            member = Member.of_status(entry.path, status)
            self._archive.write(tar_header(member, segments=segments))
            sha256 = self._reader.content(
                entry.path, descriptor, size, segments, lambda position, piece: self._archive.write(piece)
            )
            self._archive.pad()
            after = os.fstat(descriptor)
        if (after.st_size, after.st_mtime_ns) != (size, status.st_mtime_ns):
            self._notices.add(Notice.CHANGED, entry.path)
        self._manifest.add(member._replace(sha256=sha256))
        self._links.meet(entry.path, status)
        self.bytes += size
