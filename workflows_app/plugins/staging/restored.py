"""Where a storage plugin puts back what was staged for it."""

from pathlib import Path

from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.staging.folder import Staging


def restored_folders(context: PluginContext, staging: Staging) -> list[Path]:
    """The folders in which the staged folder of the backup may be after a restore, the likeliest first.

    They are below ``context.restore.target`` when that is given; ``staging`` is that of the backup's run.
    """
    number = context.config.backup.workflow_id
    # Where the backup says that it was; before that it may have been reached through a link.
    sources = [Path(content.source) for content in context.config.backup.contents if content.source]
    folders = [path for path in sources if path.is_absolute() and path.name == number]
    target = context.restore.target.rstrip("/")
    return [Path(f"{target}{folder}") for folder in (*folders, staging.path)]
