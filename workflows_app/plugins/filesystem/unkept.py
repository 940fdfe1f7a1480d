"""What files and folders have that no backup here keeps, so that it is told and not lost unseen."""

import os

from workflows_app.plugins.filesystem.notices import Notice, Notices
from workflows_app.plugins.filesystem.walk import Entry

# What the system gives again by itself: labels by its policy, the marks of an overlay.
_ITS_OWN = ("security.selinux", "trusted.overlay.")


def note_unkept(entry: Entry, notices: Notices, descriptor: int = -1) -> None:
    """Notice a file or folder with extended attributes; lists of access and capabilities are some.

    ``descriptor`` is that of the open file, where there is one.
    """
    try:
        if descriptor >= 0:
            names = os.listxattr(descriptor)
        else:
            names = os.listxattr(f"/proc/self/fd/{entry.folder}/{entry.name}", follow_symlinks=False)
    except OSError:
        return  # it vanished, which is told elsewhere, or its filesystem knows none
    if any(not name.startswith(_ITS_OWN) for name in names):
        notices.add(Notice.UNKEPT, entry.path)
