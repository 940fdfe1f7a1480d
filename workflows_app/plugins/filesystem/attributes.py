"""Gives restored things the owner, permissions and time that they had."""

import errno
import os
import stat
from collections.abc import Callable

from workflows_app.plugins.filesystem.members import Member
from workflows_app.plugins.wording import shown

# Not root, or root in a container that does not know the user.
_NOT_ALLOWED = (errno.EPERM, errno.EINVAL)


class Attributes:
    """Gives attributes; ``warn`` is told once that owners cannot be given."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._warned = False

    def give(self, descriptor: int, status: os.stat_result, member: Member) -> None:
        """Give an open file or folder its owner, mode and time, in this order. Raises OSError.

        ``status`` says whose it is now.
        """
        owned = self._own(member, status, lambda: os.fchown(descriptor, member.uid, member.gid))
        os.fchmod(descriptor, _mode(member, owned))
        os.utime(descriptor, ns=(member.mtime_ns, member.mtime_ns))

    def give_node(self, folder: int, name: str, member: Member) -> None:
        """Give the same to a link, a pipe or a device, which is not opened for it. Raises OSError."""
        node = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            status = os.fstat(node)
            owned = self._own(
                member,
                status,
                lambda: os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False),
            )
            if not stat.S_ISLNK(status.st_mode):  # a link has no mode of its own
                # Python has no fchmodat that leaves links alone; the descriptor is what it is.
                os.chmod(f"/proc/self/fd/{node}", _mode(member, owned))  # noqa: PTH101
            times = (member.mtime_ns, member.mtime_ns)
            os.utime(name, ns=times, dir_fd=folder, follow_symlinks=False)
        finally:
            os.close(node)

    def _own(self, member: Member, status: os.stat_result, chown: Callable[[], None]) -> bool:
        """Whether the thing has the member's owner, which was given to it if need be."""
        if (status.st_uid, status.st_gid) == (member.uid, member.gid):
            return True
        try:
            chown()
        except OSError as error:
            if error.errno not in _NOT_ALLOWED:
                raise
            if not self._warned:
                self._warned = True
                self._warn(
                    f"Owners cannot be restored by the worker's user (uid {os.geteuid()}), first that of "
                    f"{shown(member.path)} ({member.uid}:{member.gid}): what is restored belongs to the "
                    "worker's user. Run the worker as root to restore owners, too"
                )
            return False
        return True


def _mode(member: Member, owned: bool) -> int:
    """The permission bits; a program never runs as another user than the one it was set up for."""
    return stat.S_IMODE(member.mode) & (0o7777 if owned else ~(stat.S_ISUID | stat.S_ISGID))
