"""The files and folders of a backup that a restore was asked for, when it is not all of it."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.plugins.filesystem.members import HARD_LINK, Member
from workflows_app.plugins.wording import shown

# How many paths are named that the backup does not hold.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is wanted: ``paths`` in the archive, none of which is in another one.

    ``moved`` has the files that are wanted under another of their names only: by the path under which the
    backup has their content, the member to restore with it.
    """

    paths: frozenset[str]
    moved: Mapping[str, Member] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        keys: Iterable[str],
        members: Callable[[], Iterable[Member]],
        check_cancelled: Callable[[], None],
    ) -> "Chosen":
        """What the ``keys`` (``FileEntry.key``) choose of all ``members``, which are looked through.

        Raises ConfigInvalid for a key that is none, PluginFailed for one that the backup does not hold, and
        what ``check_cancelled`` raises.
        """
        paths = _outermost({_path_of(key) for key in keys})
        chosen = cls(paths)
        missing = set(paths)
        links: dict[str, Member] = {}
        moved: dict[str, Member] = {}
        for member in members():
            check_cancelled()
            missing.discard(member.path)
            if member.type == HARD_LINK and chosen.has(member.path) and not chosen.has(member.link):
                links.setdefault(member.link, member)
        if missing:
            named = ", ".join(shown(f"/{path}") for path in sorted(missing)[:_NAMED])
            more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
            raise PluginFailed(f"The backup does not hold {named}{more}: look at its files again")
        if links:
            for member in members():
                if (link := links.get(member.path)) is not None:
                    moved[member.path] = member._replace(path=link.path)
        return cls(paths, moved)

    def has(self, path: str) -> bool:
        """Whether the path is chosen, or in a folder that is."""
        return any(part in self.paths for part in _with_parents(path))

    def root_of(self, path: str) -> str:
        """The chosen path that a wanted one is, or is in."""
        return next(part for part in _with_parents(path) if part in self.paths)

    def parents(self) -> frozenset[str]:
        """The folders that something chosen is in, without what is chosen itself."""
        return frozenset(parent for path in self.paths for parent in _with_parents(path) if parent != path)

    def wanted(self, member: Member) -> Member | None:
        """What is to be restored of a member of the backup; None when it is not chosen."""
        if not self.has(member.path):
            return None
        if member.type != HARD_LINK or (moved := self.moved.get(member.link)) is None:
            return member
        return moved if moved.path == member.path else member._replace(link=moved.path)


def _path_of(key: str) -> str:
    """The path in the archive that a key stands for. Raises ConfigInvalid."""
    path = unquote_to_bytes(key)
    if b"\0" in path or not path.strip(b"/") or not path.startswith(b"/"):
        raise ConfigInvalid("files", f"{key!r} is no file or folder in a backup")
    return os.fsdecode(path).strip("/")


def _outermost(paths: set[str]) -> frozenset[str]:
    """The paths without those that are in another one."""
    return frozenset(path for path in paths if not any(p in paths for p in _with_parents(path) if p != path))


def _with_parents(path: str) -> Iterator[str]:
    """The path and those of all folders that it is in."""
    yield path
    while (cut := path.rfind("/")) > 0:
        path = path[:cut]
        yield path
