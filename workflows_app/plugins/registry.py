"""Finds plugins by family and name: built in, of an installed package, or an executable in a folder."""

import inspect
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from workflows_app.domain.errors import PluginFailed, PluginMissing
from workflows_app.domain.results import PluginInfo
from workflows_app.plugins.base import AppPlugin, ArchivePlugin, StoragePlugin
from workflows_app.plugins.basic.folders import PluginFolders
from workflows_app.plugins.basic.plugins import BasicApp, BasicArchive, BasicStorage

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Family:
    """A family of plugins: its entry point group, the Protocol that its plugins keep, and its executables."""

    name: str
    group: str
    protocol: type
    basic: Callable[[Path], Any]


_APP = _Family("app", "fossul.app_plugins", AppPlugin, BasicApp)
_STORAGE = _Family("storage", "fossul.storage_plugins", StoragePlugin, BasicStorage)
_ARCHIVE = _Family("archive", "fossul.archive_plugins", ArchivePlugin, BasicArchive)
_FAMILIES = (_APP, _STORAGE, _ARCHIVE)

_BUILT_IN = (
    EntryPoint("mariadb", "workflows_app.plugins.mariadb.plugin:plugin", _APP.group),
    EntryPoint("mariadb-dump", "workflows_app.plugins.mariadb_dump.plugin:plugin", _APP.group),
    EntryPoint("mongo", "workflows_app.plugins.mongo.plugin:plugin", _APP.group),
    EntryPoint("mongo-dump", "workflows_app.plugins.mongo_dump.plugin:plugin", _APP.group),
    EntryPoint("postgres", "workflows_app.plugins.postgres.plugin:plugin", _APP.group),
    EntryPoint("postgres-dump", "workflows_app.plugins.postgres_dump.plugin:plugin", _APP.group),
    EntryPoint("sample-app", "workflows_app.plugins.sample_app.plugin:plugin", _APP.group),
    EntryPoint("container-basic", "workflows_app.plugins.container_basic.plugin:plugin", _STORAGE.group),
    EntryPoint("csi", "workflows_app.plugins.csi.plugin:plugin", _STORAGE.group),
    EntryPoint("filesystem", "workflows_app.plugins.filesystem.plugin:plugin", _STORAGE.group),
    EntryPoint("restic", "workflows_app.plugins.restic.plugin:plugin", _STORAGE.group),
    EntryPoint("sample-storage", "workflows_app.plugins.sample_storage.plugin:plugin", _STORAGE.group),
    EntryPoint("tar", "workflows_app.plugins.tar.plugin:plugin", _STORAGE.group),
    EntryPoint("aws", "workflows_app.plugins.s3.plugin:fossul_plugin", _ARCHIVE.group),
    EntryPoint("filesystem", "workflows_app.plugins.filesystem_archive.plugin:plugin", _ARCHIVE.group),
    EntryPoint("s3", "workflows_app.plugins.s3.plugin:plugin", _ARCHIVE.group),
    EntryPoint("sample-archive", "workflows_app.plugins.sample_archive.plugin:plugin", _ARCHIVE.group),
)


def _installed(group: str) -> Iterable[EntryPoint]:
    """The entry points of a group that installed packages declare."""
    return entry_points(group=group)


@dataclass(frozen=True, slots=True)
class Registered:
    """A name under which a plugin can be asked for, and where it comes from, for people."""

    family: str
    name: str
    origin: str


class PluginRegistry:
    """The plugins of one worker. Each is imported when it is first asked for; safe to use from any thread.

    An entry point names a plugin, or a class whose instance is one. Fossul's name of a native plugin,
    ``X.so``, finds ``X`` (the plugin reimplemented here) unless ``X.so`` is registered itself. Executables
    in ``<folder>/<family>`` come last; they are looked for at each call, so a new one needs no restart.
    """

    def __init__(
        self,
        installed: Callable[[str], Iterable[EntryPoint]] = _installed,
        folders: Sequence[Path] = (),
    ) -> None:
        self._installed = installed
        self._folders = PluginFolders(folders)
        self._clashes: set[tuple[str, str]] = set()
        self._shelves: dict[_Family, dict[str, EntryPoint]] = {}
        self._plugins: dict[EntryPoint | Path, Any] = {}
        self._lock = threading.RLock()

    def app(self, name: str) -> AppPlugin:
        """The app plugin of that name.

        Raises PluginMissing when there is none, PluginFailed when it cannot be imported or is no app plugin,
        or is an executable that may not be run.
        """
        plugin: AppPlugin = self._find(_APP, name)
        return plugin

    def storage(self, name: str) -> StoragePlugin:
        """The storage plugin of that name. Raises as ``app`` does."""
        plugin: StoragePlugin = self._find(_STORAGE, name)
        return plugin

    def archive(self, name: str) -> ArchivePlugin:
        """The archive plugin of that name. Raises as ``app`` does."""
        plugin: ArchivePlugin = self._find(_ARCHIVE, name)
        return plugin

    def infos(self) -> tuple[PluginInfo, ...]:
        """What every plugin says of itself, by family and name; one that fails is logged and left out.

        Family and name are those by which a configuration asks for it, whatever it calls itself.
        """
        return tuple(
            info
            for family in _FAMILIES
            for name in self._names(family)
            if (info := self._info(family, name)) is not None
        )

    def registered(self) -> tuple[Registered, ...]:
        """Every plugin by family and name, whether it works or not. None is loaded or run."""
        return tuple(
            Registered(family.name, name, self._origin(family, name))
            for family in _FAMILIES
            for name in self._names(family)
        )

    def find(self, family: str, name: str) -> Any:
        """The plugin of a family (``app``, ``storage`` or ``archive``). Raises as ``app`` does."""
        return self._find(next(known for known in _FAMILIES if known.name == family), name)

    def _info(self, family: _Family, name: str) -> PluginInfo | None:
        try:
            info = self._find(family, name).info()
            if not isinstance(info, PluginInfo):
                raise TypeError(f"info() answered {type(info).__name__}, not PluginInfo")
        except Exception as error:  # a bad plugin must not hide the good ones
            logger.warning("No information about %s plugin %r: %r", family.name, name, error)
            return None
        return info.model_copy(update={"name": name, "type": family.name})

    def _find(self, family: _Family, name: str) -> Any:
        with self._lock:
            shelf = self._shelf(family)
            entry = shelf.get(name) or shelf.get(name.removesuffix(".so"))
            if entry is None:
                path = self._folders.find(family.name, name.removesuffix(".so"))
                if path is not None:
                    return self._plugins.setdefault(path, family.basic(path))
                known = ", ".join(self._names(family)) or "none"
                raise PluginMissing(
                    f"There is no {family.name} plugin {name!r} where this worker runs. Known {family.name} "
                    f"plugins: {known}. Correct the name, or install the package that has it and restart "
                    "the worker, or put an executable of that name into a plugin folder."
                )
            if entry not in self._plugins:
                self._plugins[entry] = _load(family, entry)
            return self._plugins[entry]

    def _names(self, family: _Family) -> list[str]:
        """All names of a family, sorted. An executable whose name is taken is logged, once, and left out."""
        with self._lock:
            shelf = self._shelf(family)
            executables = self._folders.names(family.name)
            for name in executables:
                if name in shelf and (family.name, name) not in self._clashes:
                    self._clashes.add((family.name, name))
                    logger.warning(
                        "The executable %s plugin %r is ignored: %s has that name already",
                        family.name, name, _origin(shelf[name]),
                    )  # fmt: skip
            return sorted({*shelf, *executables})

    def _origin(self, family: _Family, name: str) -> str:
        entry = self._shelf(family).get(name)
        return _origin(entry) if entry else f"executable {self._folders.find(family.name, name)}"

    def _shelf(self, family: _Family) -> dict[str, EntryPoint]:
        """The family's entry points by name. Built-in ones come first, and nobody takes their place."""
        with self._lock:
            if family not in self._shelves:
                shelf = {entry.name: entry for entry in _BUILT_IN if entry.group == family.group}
                for entry in self._installed(family.group):
                    taken = shelf.setdefault(entry.name, entry)
                    if taken != entry:
                        logger.warning(
                            "The %s plugin %r of %s is ignored: %s has that name already",
                            family.name, entry.name, _origin(entry), _origin(taken),
                        )  # fmt: skip
                self._shelves[family] = shelf
            return self._shelves[family]


def _load(family: _Family, entry: EntryPoint) -> Any:
    """Import a plugin and hold it against its family's Protocol. Raises PluginFailed."""
    what = f"The {family.name} plugin {entry.name!r} ({_origin(entry)})"
    try:
        plugin = entry.load()
        if inspect.isclass(plugin):
            plugin = plugin()
    except (Exception, SystemExit) as error:
        raise PluginFailed(f"{what} could not be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(plugin, family.protocol):
        missing = [
            method
            for method in vars(family.protocol)
            if not method.startswith("_") and not hasattr(plugin, method)
        ]
        raise PluginFailed(f"{what} is no {family.name} plugin: it has no {', '.join(missing)}")
    return plugin


def _origin(entry: EntryPoint) -> str:
    """Where an entry point comes from, for people."""
    if entry.dist is None:
        return f"built in, {entry.value}"
    return f"{entry.dist.name} {entry.dist.version}, {entry.value}"
