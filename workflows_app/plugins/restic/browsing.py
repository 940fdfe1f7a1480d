"""The files of a backup, page by page."""

from urllib.parse import quote, unquote

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.file_listings import FileEntry, FileListing, FileQuery
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.restic.nodes import Node, is_in, list_nodes, parents
from workflows_app.plugins.restic.parameters import Parameters
from workflows_app.plugins.restic.program import Restic
from workflows_app.plugins.restic.snapshots import find_snapshot


def browse(context: PluginContext, query: FileQuery) -> FileListing:
    """Answer a page of the files of ``context.config.backup``.

    Raises ConfigInvalid for a folder's key that is none, PluginFailed when the backup cannot be read, and
    Cancelled.
    """
    parameters = Parameters.of(context)
    restic = Restic(context, parameters)
    folder = path_of("folder", query.folder) if query.folder else ""
    with restic.leaving_no_lock():
        snapshot = find_snapshot(restic, parameters, context.config.backup)
        page = _Page(query, folder, snapshot.paths)
        if query.search:
            list_nodes(restic, snapshot, [folder] if folder else [], page.take, below=True)
        else:
            list_nodes(restic, snapshot, [folder] if folder else parents(snapshot.paths), page.take)
    return FileListing(entries=tuple(page.entries), total=page.total)


def path_of(field: str, key: str) -> str:
    """The absolute path that a key stands for. Raises ConfigInvalid for what is no path in a backup."""
    path = unquote(key, errors="surrogateescape")
    if not path.startswith("/") or "\0" in path or ".." in path.split("/"):
        raise ConfigInvalid(field, f"{key!r} is no path in a backup")
    return path.rstrip("/") or "/"


class _Page:
    """Gathers the entries that are asked for, and counts all that fit."""

    def __init__(self, query: FileQuery, folder: str, sources: tuple[str, ...]) -> None:
        self._query = query
        self._folder = folder
        self._sources = sources
        self._wanted = query.search.casefold()
        self.entries: list[FileEntry] = []
        self.total = 0

    def take(self, node: Node) -> None:
        if not self._fits(node.path):
            return
        if self._query.offset <= self.total < self._query.offset + self._query.limit:
            self.entries.append(_entry(node))
        self.total += 1

    def _fits(self, path: str) -> bool:
        if not is_in(path, self._sources):
            return False
        if self._wanted:
            return self._wanted in path.casefold() and (
                not self._folder or (path != self._folder and is_in(path, (self._folder,)))
            )
        if self._folder:
            return path != self._folder and path.rpartition("/")[0] == self._folder.rstrip("/")
        return path in self._sources


def _entry(node: Node) -> FileEntry:
    return FileEntry(
        path=node.path,
        key=quote(node.path, errors="surrogateescape"),
        type=node.type,
        size=node.size,
        mtime=node.mtime_ns // 1_000_000_000,
        mode=node.mode,
        owner=f"{node.uid}:{node.gid}",
    )
