"""Opens the content of a backup, in whichever format it is."""

from workflows_app.plugins.filesystem.stored import Stored
from workflows_app.plugins.filesystem.tree_unpacking import TreeUnpacking
from workflows_app.plugins.filesystem.unpacking import Unpacking

Content = Unpacking | TreeUnpacking
"""A backup that is read from its first member to its last."""


def open_content(stored: Stored) -> Content:
    """Every member of the backup with its content, to be used in ``with``. Raises OSError."""
    return TreeUnpacking(stored.archive) if stored.is_tree else Unpacking(stored.archive)
