"""The files in a backup, page by page: what is asked, and what a storage plugin answers."""

from pydantic import Field

from workflows_app.domain.results import Result
from workflows_app.domain.wire import WireModel

LONGEST_PAGE = 100
LONGEST_SEARCH = 200


class FileQuery(WireModel):
    """Which files of a backup are asked for.

    ``folder`` is the key of a folder (``FileEntry.key``), of which what is directly in it is listed; empty
    for what was backed up. With ``search``, all paths at or below ``folder`` that have that text in them, in
    whatever case. ``offset`` entries are left out, ``limit`` answered at most.
    """

    omit_empty = frozenset({"folder", "search", "offset"})

    folder: str = ""
    search: str = Field("", max_length=LONGEST_SEARCH)
    offset: int = Field(0, ge=0)
    limit: int = Field(100, ge=1, le=LONGEST_PAGE)


class FileEntry(WireModel):
    """One file or folder in a backup.

    ``path`` is its absolute path as text, bytes that are not UTF-8 escaped; ``key`` is the path
    percent-encoded byte by byte, so that it is exact. ``type`` is ``file``, ``directory``, ``symlink`` or
    another word, ``size`` in bytes, ``mtime`` in unix seconds, ``mode`` the permission bits, ``link`` a
    link's target as text.
    """

    omit_empty = frozenset({"size", "mtime", "mode", "owner", "link"})

    path: str
    key: str
    type: str
    size: int = 0
    mtime: int = 0
    mode: int = 0
    owner: str = ""
    link: str = ""


class FileListing(WireModel):
    """A page of a backup's files; ``total`` counts all that fit. ``result`` says why there is none."""

    entries: tuple[FileEntry, ...] = ()
    total: int = 0
    result: Result = Result()
