"""What plugins can do beyond what their family must: asked of the plugin itself (``plugins.base``)."""

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.restore_points import Ability
from workflows_app.plugins.base import (
    ArchivePlugin,
    BrowsableStoragePlugin,
    DeletingStoragePlugin,
    FetchingArchivePlugin,
    StoragePlugin,
    VerifyingStoragePlugin,
)


def storage_abilities(plugin: StoragePlugin) -> tuple[str, ...]:
    """What a storage plugin can do with one backup, by ``Ability``."""
    able = {
        Ability.VERIFY: isinstance(plugin, VerifyingStoragePlugin),
        Ability.DELETE: isinstance(plugin, DeletingStoragePlugin),
        Ability.BROWSE: isinstance(plugin, BrowsableStoragePlugin),
    }
    return tuple(ability.value for ability, can in able.items() if can)


def archive_abilities(plugin: ArchivePlugin) -> tuple[str, ...]:
    """What an archive plugin can do with one archive, by ``Ability``."""
    return (Ability.FETCH.value,) if isinstance(plugin, FetchingArchivePlugin) else ()


def verifying(plugin: StoragePlugin) -> VerifyingStoragePlugin:
    """The plugin, if it can verify. Raises PluginFailed."""
    if not isinstance(plugin, VerifyingStoragePlugin):
        raise PluginFailed("This storage plugin cannot verify a backup: do a dry run of a restore.")
    return plugin


def deleting(plugin: StoragePlugin) -> DeletingStoragePlugin:
    """The plugin, if it can delete one backup. Raises PluginFailed."""
    if not isinstance(plugin, DeletingStoragePlugin):
        raise PluginFailed("This storage plugin cannot delete one backup: delete it by hand.")
    return plugin


def browsable(plugin: StoragePlugin) -> BrowsableStoragePlugin:
    """The plugin, if it can tell which files a backup holds. Raises PluginFailed."""
    if not isinstance(plugin, BrowsableStoragePlugin):
        raise PluginFailed("This storage plugin cannot tell which files a backup holds.")
    return plugin
