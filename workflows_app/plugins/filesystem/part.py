"""What of each member a restore of chosen files puts where, and which folders it makes on the way."""

import os

from workflows_app.plugins.filesystem.chosen import Chosen
from workflows_app.plugins.filesystem.landing import Landing
from workflows_app.plugins.filesystem.members import FILE, HARD_LINK, Member


class Part:
    """The part of a backup that is restored to ``landing``.

    Folders above what was chosen get their recorded attributes where they are not there yet; those that are
    there are left alone.
    """

    def __init__(self, chosen: Chosen, landing: Landing) -> None:
        self._chosen = chosen
        self._new_folders = {path for path in chosen.parents() if not _is_there(landing, path)}

    def moved(self, member: Member) -> Member | None:
        """The chosen file that has the content of this member under another name."""
        return self._chosen.moved.get(member.path)

    def rest(self, member: Member) -> Member | None:
        """What of this member is restored when what was ``moved`` is there."""
        if member.path in self._new_folders:
            return member
        wanted = self._chosen.wanted(member)
        if wanted is not None and member.type == HARD_LINK and wanted.type == FILE:
            return None
        return wanted


def _is_there(landing: Landing, path: str) -> bool:
    try:
        folder, name = landing.find(path)
    except OSError:
        return False
    try:
        os.lstat(name, dir_fd=folder)
    except OSError:
        return False
    finally:
        os.close(folder)
    return True
