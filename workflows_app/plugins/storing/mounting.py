"""The steps of a storage plugin whose backups an archive plugin reads as they are, or cannot read at all."""

from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext


class NothingToMount:
    """A storage plugin that has nothing to mount, in Fossul's words."""

    def mount(self, context: PluginContext) -> Result:
        """Say that there is nothing to mount."""
        context.info("Mount not implemented or required")
        return Result()

    def unmount(self, context: PluginContext) -> Result:
        """Say that there is nothing to unmount."""
        context.info("Unmount not implemented or required")
        return Result()
