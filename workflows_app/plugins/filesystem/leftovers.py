"""What an interrupted run left of a tree, for the next run of the configuration to go on from."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from workflows_app.plugins.filesystem.folder import (
    PartialFolder,
    leftovers,
    remove_leftover,
    set_aside,
)
from workflows_app.plugins.filesystem.layout import TREE
from workflows_app.plugins.filesystem.manifest import MANIFEST_SUFFIX
from workflows_app.plugins.filesystem.output import writing
from workflows_app.plugins.filesystem.tree_copy import STORED_MODE
from workflows_app.plugins.filesystem.walk import walk
from workflows_app.plugins.wording import reason_of, shown


def take_leftover(
    folder: Path, name: str, say: Callable[[str], None], warn: Callable[[str], None]
) -> Path | None:
    """The partial tree in ``folder`` that got furthest, out of the way of the new backup ``name``.

    All other partial backups are removed, with a warning. Raises PluginFailed.
    """
    found = leftovers(folder)
    with writing(folder):
        sizes = {leftover: _lines(leftover) for leftover in found if (leftover / TREE).is_dir()}
    best = max(sizes, key=lambda leftover: sizes[leftover], default=None)
    for leftover in found:
        if leftover != best:
            remove_leftover(leftover, warn)
    if best is None:
        return None
    say(
        f"Going on from {shown(str(best))}, which an interrupted backup left behind: what is complete there "
        "and did not change is held against its hash and taken over"
    )
    with writing(best):
        _remove_incomplete(best / TREE)
    return set_aside(best, name)


def manifest_in(leftover: Path) -> Path | None:
    """The manifest of a partial backup, under whatever name; None when there is none. Raises OSError."""
    return next(leftover.glob(f"*{MANIFEST_SUFFIX}"), None)


@contextmanager
def partial_tree(folder: Path, name: str, warn: Callable[[str], None]) -> Iterator[PartialFolder]:
    """A new partial folder for the tree ``name``, which stays when the block raises while it copies.

    The next run goes on from there. Raises PluginFailed as ``partial_folder``.
    """
    partial = PartialFolder(folder, name)
    try:
        yield partial
    except BaseException:
        if (partial.path / TREE).is_dir():
            warn(
                f"What was copied stays hidden in {shown(str(partial.path))}: the next backup of this "
                "configuration goes on from there. Remove it by hand if there will be none"
            )
        else:
            _remove(partial, warn)
        raise
    finally:
        partial.close()


def _remove(partial: PartialFolder, warn: Callable[[str], None]) -> None:
    try:
        partial.remove()
    except OSError as error:
        warn(f"Cannot remove {shown(str(partial.path))}: {reason_of(error)}. Remove it by hand")


def _remove_incomplete(root: Path) -> None:
    """Give back the room of what was being copied, which is begun anew. Raises OSError."""
    with closing(walk(str(root), lambda path, error: None)) as entries:
        for entry in entries:
            if entry.is_file and stat.S_IMODE(entry.stat.st_mode) != STORED_MODE:
                os.unlink(entry.name, dir_fd=entry.folder)


def _lines(leftover: Path) -> int:
    """How far a partial backup got, by the size of its manifest. Raises OSError."""
    manifest = manifest_in(leftover)
    return manifest.stat().st_size if manifest else 0
