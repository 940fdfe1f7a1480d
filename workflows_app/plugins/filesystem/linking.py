"""Puts files of earlier trees into a new one, as hard links."""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from workflows_app.plugins.filesystem.earlier import EarlierTree, Known
from workflows_app.plugins.filesystem.landing import Landing
from workflows_app.plugins.filesystem.layout import Unchanged
from workflows_app.plugins.filesystem.members import Member
from workflows_app.plugins.filesystem.notices import Notice, Notices
from workflows_app.plugins.filesystem.output import writing

# Beside the tree, where no name of a source can be in its way.
_SPARE = ".linked"
# Too many links to one file, none at all on this disk, another disk, or gone meanwhile.
_NO_LINK = (errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.EXDEV, errno.ENOENT)


class Linking:
    """Finds files in ``earlier`` trees, the best one first, and links them into the tree of ``landing``.

    ``folder`` is that of the new backup. Raises PluginFailed when it cannot be written, and what
    ``check_cancelled`` raises.
    """

    def __init__(
        self,
        earlier: Sequence[EarlierTree],
        landing: Landing,
        folder: Path,
        unchanged: Unchanged,
        notices: Notices,
        check_cancelled: Callable[[], None],
    ) -> None:
        self._earlier = earlier
        self._landing = landing
        self._folder = folder
        self._unchanged = unchanged
        self._notices = notices
        self._check_cancelled = check_cancelled

    def link_unchanged(
        self, member: Member, status: os.stat_result, hash_source: Callable[[], str]
    ) -> str | None:
        """Link what the source's file is still the same as, and answer its hash; None when nothing is.

        ``hash_source`` reads the source; it is called once at most, where size and times prove nothing.
        """
        sha256 = ""
        for tree in self._earlier:
            known = tree.find(member.path)
            if known is None or not known.looks_like(status):
                continue
            if self._unchanged is Unchanged.HASH or not known.is_untouched(status):
                sha256 = sha256 or hash_source()
                if sha256 != known.member.sha256:
                    continue
            if self._link(tree, known, member):
                return known.member.sha256
        return None

    def replace_copy(self, member: Member, status: os.stat_result) -> bool:
        """Whether the new copy of a file made way for the same content in an earlier tree.

        That is of a file whose size or time changed, and not what is in it.
        """
        for tree in self._earlier:
            known = tree.find(member.path)
            if known is None or known.looks_like(status) or known.member.sha256 != member.sha256:
                continue
            if self._link(tree, known, member):
                return True
        return False

    def _link(self, tree: EarlierTree, known: Known, member: Member) -> bool:
        """Whether the stored file is in the new tree now, too, in the place of what was there."""
        if not tree.is_sound(known, lambda size: self._check_cancelled()):
            self._notices.add(tree.damaged, f"/{member.path}")
            return False
        spare = self._folder / _SPARE
        stored = known.entry
        with writing(self._folder):
            folder = self._landing.folder_of(member.path)
            try:
                os.link(stored.name, spare, src_dir_fd=stored.folder, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
                self._notices.add(Notice.UNLINKABLE, f"/{member.path}")
                return False
            os.rename(spare, _name(member), dst_dir_fd=folder)
        return True


def _name(member: Member) -> str:
    return member.path.rpartition("/")[2]
