"""What the manifest of a tree says of a file beside its member."""

from typing import NamedTuple


class Kept(NamedTuple):
    """How a file of a tree is kept.

    ``inode`` and ``ctime_ns`` are those of the source, None when they prove nothing. ``linked`` says that
    the content is that of an earlier backup, as a hard link.
    """

    inode: int | None = None
    ctime_ns: int | None = None
    linked: bool = False
