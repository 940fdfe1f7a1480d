"""Links at a target that would lead a restore elsewhere.

restic before 0.17 follows them: who may write to the target could have it write where only the worker may.
"""

import os
import stat
from collections.abc import Sequence

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.target import Target
from workflows_app.plugins.restic.nodes import Node, is_in, list_nodes
from workflows_app.plugins.restic.program import Restic
from workflows_app.plugins.restic.snapshots import Snapshot
from workflows_app.plugins.wording import reason_of, shown


def refuse_links_in(restic: Restic, snapshot: Snapshot, wanted: Sequence[str], target: Target) -> None:
    """Raise PluginFailed where a link is now at the place of what was none when the backup was made.

    Folders above what is ``wanted`` count, too. Raises as ``list_nodes``.
    """

    def look(node: Node) -> None:
        on_the_way = node.type == "directory" and any(is_in(path, (node.path,)) for path in wanted)
        if node.type != "symlink" and (on_the_way or is_in(node.path, wanted)):
            _refuse_link(target.place(node.path))

    list_nodes(restic, snapshot, [], look)


def _refuse_link(place: str) -> None:
    try:
        mode = os.lstat(place).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise PluginFailed(f"Cannot look at {shown(place)}: {reason_of(error)}") from error
    if stat.S_ISLNK(mode):
        raise PluginFailed(
            f"{shown(place)} is a symbolic link now, which it was not when the backup was made, and restic "
            "would write where it leads: remove the link, or restore to another target"
        )
