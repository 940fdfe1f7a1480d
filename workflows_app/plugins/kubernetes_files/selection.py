"""What of a backup a restore is asked for, and whether that can be restored."""

from collections.abc import Callable
from dataclasses import dataclass

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.browsing import path_of
from workflows_app.plugins.filesystem.members import HARD_LINK, Member
from workflows_app.plugins.filesystem.stored import Stored
from workflows_app.plugins.wording import shown

# How many members are looked at between two looks whether to go on.
_LOOK_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen ``paths`` in the archive, each with all that is below it; none of them means everything."""

    paths: frozenset[str]

    @classmethod
    def of(cls, keys: tuple[str, ...]) -> "Selection":
        """What ``RestoreRequest.files`` means. Raises ConfigInvalid for a key that is none."""
        return cls(frozenset(path_of(key) for key in keys))

    def has(self, path: str) -> bool:
        """Whether a path in the archive is chosen."""
        return not self.paths or "" in self.paths or bool(self._chosen_above(path))

    def _chosen_above(self, path: str) -> str:
        """The chosen path that is ``path``, or the nearest above it; empty for none."""
        while path and path not in self.paths:
            path = path.rpartition("/")[0]
        return path

    def survey(self, stored: Stored, check_cancelled: Callable[[], None]) -> tuple[int, int]:
        """Look through the manifest: how many files (directories do not count) and bytes are chosen.

        Raises PluginFailed for a chosen path that the backup has not, a hard link to a file that is not
        chosen, and a path that leads through a link of the backup; and as ``Stored.members``.
        """
        files = size = 0
        met: set[str] = set()
        links: set[str] = set()
        for number, member in enumerate(stored.members()):
            if number % _LOOK_EVERY == 0:
                check_cancelled()
            _refuse_way(member, links)
            if not self.has(member.path):
                continue
            met.add(self._chosen_above(member.path))
            if member.type == HARD_LINK and not self.has(member.link):
                raise PluginFailed(
                    f"/{shown(member.path)} is the same file as /{shown(member.link)}, which is not chosen: "
                    "choose that, too"
                )
            files += member.type != "directory"
            size += member.size
        for path in sorted(self.paths - met - {""}):
            raise PluginFailed(f"The backup {shown(stored.name)} has no /{shown(path)}: choose again")
        return files, size


def _refuse_way(member: Member, links: set[str]) -> None:
    """No file of an honest backup lies behind one of its own links."""
    if member.type == "symlink":
        links.add(member.path)
        return
    path = member.path if links else ""
    while path := path.rpartition("/")[0]:
        if path in links:
            raise PluginFailed(
                f"The backup holds {shown(member.path)} behind the link {shown(path)}: it was tampered with, "
                "and nothing of it is restored"
            )
