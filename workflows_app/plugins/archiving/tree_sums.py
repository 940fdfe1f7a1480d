"""What the manifest of a tree says of its files, read beside them in constant memory."""

from collections.abc import Iterator
from pathlib import Path

from workflows_app.plugins.archiving.sums import Sums
from workflows_app.plugins.filesystem.layout import TREE
from workflows_app.plugins.filesystem.manifest import ManifestReader
from workflows_app.plugins.filesystem.members import FILE


class TreeSums:
    """The sums of a tree's files, which are asked for in the order of their paths.

    The manifest is one that was verified. Raises ManifestBroken, and OSError when it cannot be read.
    """

    def __init__(self, manifest: Path) -> None:
        self._files = _files(manifest)
        self._next = next(self._files, None)

    def get(self, path: str, /) -> Sums | None:
        """What the file at ``path``, relative to the backup's folder, holds; None for what is no member."""
        wanted = path.split("/")
        while self._next is not None and self._next[0] < wanted:
            self._next = next(self._files, None)
        return self._next[1] if self._next is not None and self._next[0] == wanted else None


def _files(manifest: Path) -> Iterator[tuple[list[str], Sums]]:
    with manifest.open("rb") as lines:
        for member in ManifestReader(lines).members():
            if member.type == FILE:
                yield [TREE, *member.path.split("/")], Sums(member.size, member.sha256 or "")
