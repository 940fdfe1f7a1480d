"""What plugins can do beyond what their family must: asked of the plugin itself (``plugins.base``)."""

from collections.abc import Callable

from workflows_app.domain.errors import FossulError, PluginFailed
from workflows_app.domain.restore_points import Ability
from workflows_app.domain.results import PluginInfo
from workflows_app.domain.runs.restores import RESTORE_FILES
from workflows_app.plugins.base import (
    BROWSE,
    DELETE,
    FETCH,
    VERIFY,
    ArchivePlugin,
    BrowsableStoragePlugin,
    DeclaringPlugin,
    DeletingStoragePlugin,
    FetchingArchivePlugin,
    StoragePlugin,
    VerifyingStoragePlugin,
)


def capabilities_of(info: Callable[[], PluginInfo]) -> frozenset[str]:
    """What a plugin declares that it can do; nothing where it cannot say."""
    try:
        return frozenset(capability.name for capability in info().capabilities)
    except FossulError:
        return frozenset()


def storage_abilities(plugin: StoragePlugin) -> tuple[str, ...]:
    """What a storage plugin can do with one backup, by ``Ability``."""
    able = {
        Ability.FILES: RESTORE_FILES in capabilities_of(plugin.info),
        Ability.VERIFY: isinstance(plugin, VerifyingStoragePlugin) and _stands_by(plugin, VERIFY),
        Ability.DELETE: isinstance(plugin, DeletingStoragePlugin) and _stands_by(plugin, DELETE),
        Ability.BROWSE: isinstance(plugin, BrowsableStoragePlugin) and _stands_by(plugin, BROWSE),
    }
    return tuple(ability.value for ability, can in able.items() if can)


def archive_abilities(plugin: ArchivePlugin) -> tuple[str, ...]:
    """What an archive plugin can do with one archive, by ``Ability``."""
    able = isinstance(plugin, FetchingArchivePlugin) and _stands_by(plugin, FETCH)
    return (Ability.FETCH.value,) if able else ()


def verifying(plugin: StoragePlugin) -> VerifyingStoragePlugin:
    """The plugin, if it can verify. Raises PluginFailed."""
    if not isinstance(plugin, VerifyingStoragePlugin) or not _stands_by(plugin, VERIFY):
        raise PluginFailed("This storage plugin cannot verify a backup: do a dry run of a restore.")
    return plugin


def deleting(plugin: StoragePlugin) -> DeletingStoragePlugin:
    """The plugin, if it can delete one backup. Raises PluginFailed."""
    if not isinstance(plugin, DeletingStoragePlugin) or not _stands_by(plugin, DELETE):
        raise PluginFailed("This storage plugin cannot delete one backup: delete it by hand.")
    return plugin


def browsable(plugin: StoragePlugin) -> BrowsableStoragePlugin:
    """The plugin, if it can tell which files a backup holds. Raises PluginFailed."""
    if not isinstance(plugin, BrowsableStoragePlugin) or not _stands_by(plugin, BROWSE):
        raise PluginFailed("This storage plugin cannot tell which files a backup holds.")
    return plugin


def _stands_by(plugin: object, capability: str) -> bool:
    """Whether a plugin that has the methods can do it: an executable only what it declares."""
    return not isinstance(plugin, DeclaringPlugin) or plugin.declares(capability)
