"""Makes a backup in either format: complete and verified under its name, or not at all."""

import os
from pathlib import Path

from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.archive_run import ArchiveRun
from workflows_app.plugins.filesystem.folder import (
    backups_folder,
    leftovers,
    make_folder,
    partial_folder,
    remove_leftovers,
)
from workflows_app.plugins.filesystem.layout import Format, Layout
from workflows_app.plugins.filesystem.leftovers import partial_tree, take_leftover
from workflows_app.plugins.filesystem.listing import list_backups
from workflows_app.plugins.filesystem.made import made
from workflows_app.plugins.filesystem.manifest import Footer, Header
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.filesystem.removal import remove_folder
from workflows_app.plugins.filesystem.selection import Selection
from workflows_app.plugins.filesystem.sources import resolve_sources
from workflows_app.plugins.filesystem.tree_run import TreeRun, last_tree
from workflows_app.plugins.wording import reason_of, shown


def make_backup(context: PluginContext) -> Result:
    """Back up the sources, verify the backup, and answer it in ``Result.backup``.

    It appears under its name complete and verified, or not at all. Raises ConfigInvalid, PluginFailed, or
    Cancelled; then nothing is left of an archive, and what was copied of a tree stays hidden for the next
    run.
    """
    parameters, selection, layout = Parameters.of(context), Selection.of(context), Layout.of(context)
    folder = backups_folder(parameters.destination, parameters.profile, parameters.config)
    context.info("Performing filesystem backup")
    context.info(f"Backup name is {parameters.name}, Backup path is {shown(str(folder / parameters.name))}")
    destination = folder.parent.parent
    sources = resolve_sources(parameters.sources, destination, folder, context.info)
    if not os.path.lexists(destination):
        context.warn(f"The destination {shown(str(destination))} does not exist; it is created")
    make_folder(folder)
    is_tree = layout.format is Format.TREE
    header = Header(
        name=parameters.name,
        policy=parameters.policy,
        workflow_id=parameters.workflow_id,
        epoch=parameters.epoch,
        # In the order of their paths, every walk of a tree meets the same files in the same order.
        sources=tuple(sorted(sources, key=lambda source: source.split("/"))) if is_tree else sources,
        exclude=selection.excludes.texts,
        one_file_system=selection.one_file_system,
        is_tree=is_tree,
    )
    if is_tree:
        footer = _make_tree(context, parameters, selection, layout, header, folder)
    else:
        footer = _make_archive(context, parameters, selection, header, folder)
    return made(context, header, footer)


def _make_archive(
    context: PluginContext, parameters: Parameters, selection: Selection, header: Header, folder: Path
) -> Footer:
    if leftovers(folder):
        context.info("An archive is one compressed stream, which nothing can go on from: it begins anew")
    remove_leftovers(folder, context.warn)
    with partial_folder(folder, parameters.name, context.warn) as partial:
        footer = ArchiveRun(context, parameters, selection, partial.path).make(header)
        partial.publish()
    return footer


def _make_tree(
    context: PluginContext,
    parameters: Parameters,
    selection: Selection,
    layout: Layout,
    header: Header,
    folder: Path,
) -> Footer:
    listed = list_backups(parameters.destination, parameters.profile, parameters.config)
    before = last_tree(folder, [backup.name for backup in listed])
    leftover = take_leftover(folder, parameters.name, context.info, context.warn)
    if before is not None:
        context.info(f"What did not change is shared with backup {shown(before.name)}")
    with partial_tree(folder, parameters.name, context.warn) as partial:
        run = TreeRun(context, parameters, selection, layout, partial.path, before, leftover)
        footer = run.make(header)
        partial.publish()
    if leftover is not None:
        _remove(leftover, context)
    return footer


def _remove(leftover: Path, context: PluginContext) -> None:
    """Remove what was taken over; a backup that is complete does not fail for it."""
    try:
        remove_folder(leftover)
    except OSError as error:
        context.warn(f"Cannot remove {shown(str(leftover))}: {reason_of(error)}. The next backup tries again")
