"""Tries beforehand what a backup with restic will need."""

import os
from collections.abc import Iterator, Sequence

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding, bad, doubtful, good, refusal, unknown
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked
from workflows_app.plugins.restic.parameters import Parameters, source_paths
from workflows_app.plugins.restic.program import NoRepository, Restic
from workflows_app.plugins.restic.snapshots import backups_of, own_snapshots
from workflows_app.plugins.wording import reason_of, shown


def check(context: PluginContext) -> tuple[Finding, ...]:
    """Answer whether restic is there, whether the repository opens, and whether the sources can be read.

    Raises Cancelled.
    """
    return (*looked(context, Parameters.of, _repository), *_sources(context))


def _repository(context: PluginContext, parameters: Parameters) -> Iterator[Finding]:
    restic = Restic(context, parameters)
    try:
        version = next(iter(restic.lines("version")), "restic")
    except PluginFailed as error:
        yield bad(str(error), "ResticCommand")
        return
    yield good(version, "ResticCommand")
    try:
        count = len(backups_of(own_snapshots(restic, parameters)))
    except NoRepository as error:
        yield (
            doubtful(f"{error}. The first backup creates it", "Repository")
            if parameters.create
            else bad(str(error), "Repository")
        )
    except PluginFailed as error:
        yield refusal(error, "Password" if "Password" in str(error) else "Repository")
    else:
        yield good(f"The repository opens, and has {count} backups of this configuration", "Repository")


def _sources(context: PluginContext) -> Iterator[Finding]:
    if context.config.auto_discovery:
        yield unknown(
            "What is backed up is discovered by the application's plugin in each run", "BackupSrcPaths"
        )
        return
    yield from looked(context, source_paths, _readable)


def _readable(context: PluginContext, paths: Sequence[str]) -> Iterator[Finding]:
    for path in paths:
        try:
            if os.path.isdir(path):  # noqa: PTH112 - the path stays text throughout
                found = f"folder with {len(os.listdir(path))} entries"  # noqa: PTH208
            else:
                with open(path, "rb"):  # noqa: PTH123
                    found = "file"
        except OSError as error:
            yield bad(f"{shown(path)} cannot be read: {reason_of(error)}", "BackupSrcPaths")
        else:
            yield good(f"{shown(path)} can be read: a {found}", "BackupSrcPaths")
