"""Tries beforehand what a backup with restic will need."""

from collections.abc import Iterable, Iterator

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import Finding, bad, doubtful, good, refusal
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.checking import looked
from workflows_app.plugins.restic.parameters import Parameters, tidy_sources
from workflows_app.plugins.restic.program import NoRepository, Restic
from workflows_app.plugins.restic.snapshots import backups_of, own_snapshots
from workflows_app.plugins.storing.sources import DISCOVERED, check_readable


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


def _sources(context: PluginContext) -> Iterable[Finding]:
    if context.config.auto_discovery:
        return (DISCOVERED,)
    return looked(context, tidy_sources, lambda call, paths: map(check_readable, paths))
