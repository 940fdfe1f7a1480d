"""Tries beforehand what every archive plugin here needs of the storage plugin."""

from collections.abc import Iterator

from workflows_app.domain.errors import FossulError
from workflows_app.domain.findings import Finding, bad, refusal
from workflows_app.plugins.archiving.names import as_storage
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.folder import backups_folder
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.wording import shown


def check_source(context: PluginContext) -> Iterator[Finding]:
    """Answer what keeps the configuration's backups from being archived; nothing where nothing does."""
    if not context.config.storage_plugin:
        yield bad("No storage plugin is chosen, so there is no backup to archive")
        return
    try:
        place = Place.of(as_storage(context))
        folder = backups_folder(place.destination, place.profile, place.config)
    except FossulError as error:
        found = refusal(error)
        yield bad(
            "The storage plugin must keep its backups as files below BackupDestPath, on this worker: "
            f"{found.words}",
            found.parameter,
        )
        return
    if folder.exists() and not folder.is_dir():
        yield bad(f"{shown(str(folder))}, where the backups are, is no folder", "BackupDestPath")
