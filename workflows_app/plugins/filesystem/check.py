"""Tries beforehand what a backup of folders and files will need."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.findings import Finding, bad, doubtful, good, refusal
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import read_parameters
from workflows_app.plugins.filesystem.folder import backups_folder
from workflows_app.plugins.filesystem.folder_check import check_folder
from workflows_app.plugins.filesystem.layout import Layout
from workflows_app.plugins.filesystem.listing import list_backups
from workflows_app.plugins.filesystem.parameters import Parameters, Place
from workflows_app.plugins.filesystem.selection import Selection
from workflows_app.plugins.filesystem.sources import resolve_sources
from workflows_app.plugins.storing.sources import DISCOVERED, SOURCES, check_readable

DESTINATION = "BackupDestPath"
# A test tells of no run; every run has these.
_POLICY, _RUN, _EPOCH = "daily", 1, 0
# Stands for what an application's plugin will discover.
_ANYTHING = {"DataFilePaths": "/", "LogFilePaths": ""}


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer what is wrong with the parameters, whether each source can be read, and how the destination is.

    Only the first level of a source is looked at: what lies deeper shows in a run.
    """
    return tuple(_look(context))


def _look(context: PluginContext) -> Iterator[Finding]:
    discovers = context.config.auto_discovery
    run = replace(
        context,
        config=context.config.for_run(_RUN, _POLICY, _EPOCH),
        parameters={**context.parameters, **(_ANYTHING if discovers else {})},
    )
    parameters, mistakes = read_parameters(run, Parameters.of)
    yield from mistakes
    for others in (read_parameters(run, Selection.of)[1], read_parameters(run, Layout.of)[1]):
        yield from others
    try:
        place = Place.of(context)
        folder = backups_folder(place.destination, place.profile, place.config)
    except ConfigInvalid:
        return  # it is among the mistakes
    except PluginFailed as error:
        yield refusal(error, DESTINATION)
        return
    if discovers:
        yield DISCOVERED
    elif parameters is not None:
        yield from _sources(parameters.sources, folder)
    yield from _destination(place)


def _sources(sources: Sequence[Path], folder: Path) -> Iterator[Finding]:
    destination = folder.parent.parent
    real: list[Path] = []
    for source in sources:
        said: list[str] = []
        try:
            (path,) = resolve_sources((source,), destination, folder, said.append)
        except PluginFailed as error:
            yield bad(str(error), SOURCES)
            continue
        real.append(Path(path))
        yield check_readable(path)
        yield from (doubtful(words, SOURCES) for words in said)
    try:
        resolve_sources(real, destination, folder, lambda text: None)
    except PluginFailed as error:
        yield bad(str(error), SOURCES)


def _destination(place: Place) -> Iterator[Finding]:
    there = os.path.lexists(place.destination)
    try:
        backups = list_backups(place.destination, place.profile, place.config) if there else ()
    except PluginFailed as error:
        yield refusal(error, DESTINATION)
        return
    newest = backups[-1].size or 0 if backups else 0
    yield from check_folder(DESTINATION, place.destination, newest, "the newest backup")
    if backups:
        yield good(f"It has {len(backups)} backups of this configuration", DESTINATION)
