"""The files of a backup, from its manifest alone: no path of it is looked at on any disk."""

import os
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote_to_bytes

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.file_listings import FileEntry, FileListing, FileQuery
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.members import HARD_LINK, Member
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.filesystem.stored import Stored, find_backup

_LOOK_EVERY = 1000


def browse(context: PluginContext, query: FileQuery) -> FileListing:
    """Answer a page of the files of ``context.config.backup``.

    Raises ConfigInvalid for a folder's key that is none, PluginFailed when the backup is not there or its
    manifest is broken, and Cancelled.
    """
    stored = find_backup(Place.of(context), context.config.backup)
    fits = _fits(stored, query)
    entries: list[FileEntry] = []
    total = 0
    for member in _looked_through(stored, context.check_cancelled):
        if not fits(member.path):
            continue
        if query.offset <= total < query.offset + query.limit:
            entries.append(_entry(member))
        total += 1
    return FileListing(entries=tuple(entries), total=total)


def path_of(key: str) -> str:
    """The path in the archive that a key stands for; ``""`` for no key. Raises ConfigInvalid."""
    path = unquote_to_bytes(key)
    if b"\0" in path or (path and not path.startswith(b"/")):
        raise ConfigInvalid("folder", f"{key!r} is no path in a backup")
    return os.fsdecode(path).strip("/")


def key_of(path: str) -> str:
    """The key of a path in the archive: absolute, percent-encoded byte by byte."""
    return quote(b"/" + os.fsencode(path))


def _looked_through(stored: Stored, check_cancelled: Callable[[], None]) -> Iterator[Member]:
    for number, member in enumerate(stored.members()):
        if number % _LOOK_EVERY == 0:
            check_cancelled()
        yield member


def _fits(stored: Stored, query: FileQuery) -> Callable[[str], bool]:
    """What decides of a path in the archive whether it is asked for."""
    folder = path_of(query.folder)
    below = f"{folder}/" if folder else ""
    wanted = query.search.casefold()
    if wanted:
        return lambda path: path.startswith(below) and wanted in f"/{_text(path)}".casefold()
    if not folder:
        sources = {source.lstrip("/") for source in stored.sources}
        return lambda path: path in sources
    return lambda path: path.startswith(below) and "/" not in path[len(below) :]


def _entry(member: Member) -> FileEntry:
    link = f"/{member.link}" if member.type == HARD_LINK else member.link
    return FileEntry(
        path=f"/{_text(member.path)}",
        key=key_of(member.path),
        type=member.type,
        size=member.size,
        mtime=member.mtime_ns // 1_000_000_000,
        mode=member.mode,
        owner=f"{member.uname or member.uid}:{member.gname or member.gid}",
        link=_text(link),
    )


def _text(path: str) -> str:
    """A path as text that JSON can carry; bytes that are not UTF-8 are escaped."""
    return os.fsencode(path).decode(errors="backslashreplace")
