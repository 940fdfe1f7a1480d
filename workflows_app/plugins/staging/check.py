"""Tries beforehand the folder in which a run stages what the storage plugin then backs up."""

from collections.abc import Iterator
from pathlib import Path

from workflows_app.domain.findings import Finding, doubtful
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.folder_check import check_folder
from workflows_app.plugins.wording import shown


def check_staging(
    context: PluginContext, parameter: str, root: Path, needs: int = 0, what: str = ""
) -> Iterator[Finding]:
    """Answer whether ``root`` can be written and has room, and whether its content gets into the backup.

    ``parameter`` is the one that names it. ``needs`` and ``what`` as ``check_folder``'s.
    """
    yield from check_folder(parameter, root, needs, what)
    if not context.config.auto_discovery and not _among_sources(context, root):
        yield doubtful(
            f"AutoDiscovery is off, and {shown(str(root))} is not among the storage plugin's own paths: the "
            "backup would not have the database. Turn AutoDiscovery on",
            parameter,
        )


def _among_sources(context: PluginContext, root: Path) -> bool:
    sources = context.config.storage_plugin_parameters.get("BackupSrcPaths", "").split(",")
    return any(root.is_relative_to(source.strip()) for source in sources if source.strip().startswith("/"))
