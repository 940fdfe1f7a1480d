"""How the storage plugin gets to know the folder that a run fills."""

from pathlib import Path

from workflows_app.domain.results import Discover, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.wording import shown


def discovered(context: PluginContext, instance: str, path: Path) -> Result:
    """Say and answer, in Fossul's words, that the data of ``instance`` is at ``path``, made later."""
    context.info(f"Instance [{instance}] data files: [{path}] log files: []")
    return Result(discover_list=(Discover(instance=instance, data=(str(path),)),))


def warn_undiscovered(context: PluginContext, path: Path) -> None:
    """Warn when the storage plugin is not told of ``path``: its backup might then be without the database."""
    if not context.config.auto_discovery:
        context.warn(
            f"AutoDiscovery is off, so the storage plugin is not told of {shown(str(path))}: without that "
            "folder among its own paths, the backup does not have the database"
        )
