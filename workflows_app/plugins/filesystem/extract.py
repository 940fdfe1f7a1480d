"""Unpacks a verified archive into a target, member by member, and never outside of it."""

import errno
import os
import stat
import tarfile
from collections.abc import Callable
from contextlib import closing

import zstandard

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.attributes import Attributes
from workflows_app.plugins.filesystem.content import Content, open_content
from workflows_app.plugins.filesystem.disks import Disks
from workflows_app.plugins.filesystem.landing import Landing
from workflows_app.plugins.filesystem.members import FILE, HARD_LINK, Member
from workflows_app.plugins.filesystem.part import Part
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.refusals import Refusals
from workflows_app.plugins.filesystem.stored import Stored
from workflows_app.plugins.filesystem.target import Target
from workflows_app.plugins.filesystem.unpacking import Found
from workflows_app.plugins.filesystem.write_out import WriteOut
from workflows_app.plugins.wording import reason_of, shown

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# With these, the next file would fare no better.
_HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE)


class Extraction:
    """One restore of a backup. ``files`` counts what was restored but folders, ``bytes`` its content.

    What cannot be restored is told to ``refusals``, and the work goes on.
    """

    def __init__(
        self,
        stored: Stored,
        target: Target,
        temporary: str,
        refusals: Refusals,
        attributes: Attributes,
        progress: Progress,
        check_cancelled: Callable[[], None],
    ) -> None:
        self._stored = stored
        self._target = target
        self._temporary = temporary
        self._refusals = refusals
        self._attributes = attributes
        self._progress = progress
        self._check_cancelled = check_cancelled
        self._disks = Disks()
        self._write_out = WriteOut()
        self._unlinkable: set[str] = set()
        self.files = 0
        self.bytes = 0

    def run(self) -> None:
        """Restore everything and have it on disk.

        Raises PluginFailed when the archive is not what was verified or the disk refuses, and what
        ``check_cancelled`` raises. What was restored until then stays, each file whole.
        """
        try:
            with closing(self._disks), closing(self._write_out):
                with closing(Landing(self._target.base, self._temporary, self._settle)) as landing:
                    self._unpack(landing)
                self._disks.sync()
        except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
            raise self._changed(str(error)) from error
        except OSError as error:
            raise PluginFailed(
                f"Cannot restore to {self._target.where}: {reason_of(error)}. Check the disk and run the "
                "restore again"
            ) from error

    def _unpack(self, landing: Landing) -> None:
        chosen = self._stored.chosen
        if chosen is None:
            self._unpack_wanted(landing, lambda member: member)
            return
        part = Part(chosen, landing)
        if chosen.moved:
            # Before all else: whatever is put into a folder later would change its time.
            self._unpack_wanted(landing, part.moved)
        self._unpack_wanted(landing, part.rest)

    def _unpack_wanted(self, landing: Landing, wanted: Callable[[Member], Member | None]) -> None:
        """Read the whole backup, and restore what ``wanted`` makes of a member."""
        members = self._stored.every_member()
        with open_content(self._stored) as unpacking:
            while (found := unpacking.next(member := next(members, None))) is not None:
                self._check_cancelled()
                if member is None or not found.fits(member):
                    raise self._changed(f"{shown(found.member.path)} is not what the manifest says")
                if (restored := wanted(member)) is not None:
                    self._restore(landing, restored, unpacking, found)
        if member is not None:
            raise self._changed(f"it ends before {shown(member.path)}")

    def _restore(self, landing: Landing, member: Member, unpacking: Content, found: Found) -> None:
        """Restore one member, or tell why that cannot be."""
        try:
            if member.type == "directory":
                folder = landing.enter(member)
                self._disks.note(folder, os.fstat(folder).st_dev)
                return
            if member.type == FILE:
                self._restore_file(landing, member, unpacking, found)
            elif member.type == HARD_LINK:
                self._restore_hard_link(landing, member)
            else:
                self._restore_node(landing, member, found.device)
        except (OSError, OverflowError, ValueError) as error:
            self._refuse(member, error)
        else:
            self.files += 1
            self.bytes += member.size
        self._progress.advance(files=1)

    def _restore_file(self, landing: Landing, member: Member, unpacking: Content, found: Found) -> None:
        def make(folder: int, name: str) -> None:
            descriptor = os.open(name, _NEW, 0o600, dir_fd=folder)
            try:
                status = os.fstat(descriptor)
                self._disks.note(descriptor, status.st_dev)
                self._write(descriptor, member, unpacking, found)
                self._attributes.give(descriptor, status, member)
            finally:
                os.close(descriptor)

        landing.place(member.path, make)

    def _write(self, descriptor: int, member: Member, unpacking: Content, found: Found) -> None:
        """Write the content, with its holes, and hold it against the manifest."""

        def write(position: int, piece: memoryview) -> None:
            self._check_cancelled()
            _write_all(descriptor, piece, position)
            self._write_out.wrote(descriptor, len(piece))
            self._progress.advance(len(piece))

        sha256 = unpacking.content(found, write)
        if found.has_holes:
            os.ftruncate(descriptor, member.size)  # a hole at the end
        if sha256 != member.sha256:
            raise self._changed(f"the content of {shown(member.path)} is not what the manifest says")

    def _restore_hard_link(self, landing: Landing, member: Member) -> None:
        if member.link in self._unlinkable:
            raise OSError(errno.ENOENT, f"{shown(member.link)}, the same file, was not restored")

        def make(folder: int, name: str) -> None:
            first, first_name = landing.find(member.link)
            try:
                os.link(first_name, name, src_dir_fd=first, dst_dir_fd=folder, follow_symlinks=False)
            finally:
                os.close(first)

        landing.place(member.path, make, hard_link=True)

    def _restore_node(self, landing: Landing, member: Member, device: int) -> None:
        """Restore a symbolic link, a pipe or a device."""

        def make(folder: int, name: str) -> None:
            if member.type == "symlink":
                os.symlink(member.link, name, dir_fd=folder)
            elif member.type == "fifo":
                os.mkfifo(name, 0o600, dir_fd=folder)
            else:
                kind = stat.S_IFCHR if member.type == "character" else stat.S_IFBLK
                os.mknod(name, kind | 0o600, device, dir_fd=folder)
            self._attributes.give_node(folder, name, member)

        landing.place(member.path, make)

    def _settle(self, folder: int, member: Member) -> None:
        """Give a folder its attributes when all below it is there."""
        try:
            self._attributes.give(folder, os.fstat(folder), member)
        except (OSError, OverflowError, ValueError) as error:
            self._refuse(member, error)

    def _refuse(self, member: Member, error: Exception) -> None:
        path = self._target.absolute(member.path)
        if not isinstance(error, OSError):
            self._refusals.add(path, str(error))
        elif error.errno in _HOPELESS:
            raise PluginFailed(
                f"Cannot restore {shown(path)}: {reason_of(error)}. What was restored before it is whole; "
                "check the disk and run the restore again"
            ) from error
        elif member.type in ("character", "block") and error.errno == errno.EPERM:
            self._refusals.warn(path, "a device, which only root may create; it is left out")
        elif error.errno == errno.ENOTEMPTY:
            self._refusals.add(path, "a folder that is not empty is in its place: move it away")
        elif error.errno in (errno.ENOTDIR, errno.ELOOP):
            self._refusals.add(path, "a link or a file is on the way to it, where a folder was")
        else:
            self._refusals.add(path, reason_of(error))
        if member.type != "directory":
            self._unlinkable.add(member.path)

    def _changed(self, why: str) -> PluginFailed:
        return PluginFailed(
            f"The backup {shown(self._stored.name)} changed since it was verified: {why}. What was restored "
            "before that is whole; run the restore again"
        )


def _write_all(descriptor: int, rest: memoryview, position: int) -> None:
    while rest:
        written = os.pwrite(descriptor, rest, position)
        rest, position = rest[written:], position + written
