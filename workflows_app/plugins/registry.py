"""Finds plugins by family and name: the built-in ones and those of installed packages, by the same path."""

import inspect
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from workflows_app.domain.errors import PluginFailed, PluginMissing
from workflows_app.domain.results import PluginInfo
from workflows_app.plugins.base import AppPlugin, ArchivePlugin, StoragePlugin

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Family:
    """A family of plugins: its entry point group, and the Protocol that its plugins keep."""

    name: str
    group: str
    protocol: type


_APP = _Family("app", "fossul.app_plugins", AppPlugin)
_STORAGE = _Family("storage", "fossul.storage_plugins", StoragePlugin)
_ARCHIVE = _Family("archive", "fossul.archive_plugins", ArchivePlugin)

_BUILT_IN = (
    EntryPoint("sample-app", "workflows_app.plugins.sample_app.plugin:plugin", _APP.group),
    EntryPoint("filesystem", "workflows_app.plugins.filesystem.plugin:plugin", _STORAGE.group),
    EntryPoint("sample-storage", "workflows_app.plugins.sample_storage.plugin:plugin", _STORAGE.group),
    EntryPoint("sample-archive", "workflows_app.plugins.sample_archive.plugin:plugin", _ARCHIVE.group),
)


def _installed(group: str) -> Iterable[EntryPoint]:
    """The entry points of a group that installed packages declare."""
    return entry_points(group=group)


class PluginRegistry:
    """The plugins of one worker. Each is imported when it is first asked for; safe to use from any thread.

    An entry point names a plugin, or a class whose instance is one. Fossul's name of a native plugin,
    ``X.so``, finds ``X`` (the plugin reimplemented here) unless ``X.so`` is registered itself.
    """

    def __init__(self, installed: Callable[[str], Iterable[EntryPoint]] = _installed) -> None:
        self._installed = installed
        self._shelves: dict[_Family, dict[str, EntryPoint]] = {}
        self._plugins: dict[EntryPoint, Any] = {}
        self._lock = threading.RLock()

    def app(self, name: str) -> AppPlugin:
        """The app plugin of that name.

        Raises PluginMissing when there is none, PluginFailed when it cannot be imported or is no app plugin.
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
        """What every plugin says of itself, by family and name; one that fails is logged and left out."""
        return tuple(
            info
            for family in (_APP, _STORAGE, _ARCHIVE)
            for name in sorted(self._shelf(family))
            if (info := self._info(family, name)) is not None
        )

    def _info(self, family: _Family, name: str) -> PluginInfo | None:
        try:
            info = self._find(family, name).info()
            if not isinstance(info, PluginInfo):
                raise TypeError(f"info() answered {type(info).__name__}, not PluginInfo")
        except Exception as error:  # a bad plugin must not hide the good ones
            logger.warning("No information about %s plugin %r: %r", family.name, name, error)
            return None
        return info

    def _find(self, family: _Family, name: str) -> Any:
        with self._lock:
            shelf = self._shelf(family)
            entry = shelf.get(name) or shelf.get(name.removesuffix(".so"))
            if entry is None:
                known = ", ".join(sorted(shelf)) or "none"
                raise PluginMissing(
                    f"There is no {family.name} plugin {name!r} where this worker runs. Known {family.name} "
                    f"plugins: {known}. Correct the name, or install the package that has it and restart "
                    "the worker."
                )
            if entry not in self._plugins:
                self._plugins[entry] = _load(family, entry)
            return self._plugins[entry]

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
