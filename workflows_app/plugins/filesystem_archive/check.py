"""Tries beforehand what an archive on another disk will need."""

from collections.abc import Iterator

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding, doubtful, refusal
from workflows_app.plugins.archiving.check import check_source
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import read_parameters, tried
from workflows_app.plugins.filesystem.folder_check import check_folder
from workflows_app.plugins.filesystem_archive.parameters import Parameters, shares_disk
from workflows_app.plugins.filesystem_archive.shelf import FolderShelf
from workflows_app.plugins.wording import shown

FOLDER = "ArchivePath"


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer whether the folder for archives is there, can be written and listed, and on which disk it is."""
    return tuple(_look(context))


def _look(context: PluginContext) -> Iterator[Finding]:
    yield from check_source(context)
    try:
        parameters, mistakes = read_parameters(context, Parameters.of)
    except PluginFailed as error:
        yield refusal(error, FOLDER)
        return
    yield from mistakes
    if parameters is None:
        return
    given = parameters

    def list_archives(context: PluginContext) -> str:
        count = len(FolderShelf(context, given).archives())
        return f"{shown(str(given.root))} has {count} archives of this configuration"

    yield from check_folder(FOLDER, given.root)
    yield from tried(context, FOLDER, list_archives)
    if shares_disk(context, given.root):
        yield doubtful(
            f"{shown(str(given.root))} is on the same disk as the backups: who loses that disk loses both",
            FOLDER,
        )
