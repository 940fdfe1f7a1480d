"""Looks for the programs of a configuration's commands, and runs none of them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from workflows_app.domain.config import CommandField
from workflows_app.domain.findings import Finding, bad, good, unknown
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.command import runs_in_a_pod
from workflows_app.plugins.executable import NotExecutable, find_executable
from workflows_app.plugins.wording import shown


def check_commands(context: PluginContext, programs: Mapping[str, str]) -> tuple[Finding, ...]:
    """Answer for each command whether the worker would find its program and may run it.

    The commands are those of ``context.config``, and the plan's own, of which ``programs`` has the program
    by the step's key.
    """
    return tuple(_look(context, programs)) or (unknown("No command is configured: there is nothing to test"),)


def _look(context: PluginContext, programs: Mapping[str, str]) -> Iterator[Finding]:
    path = context.environment.get("PATH", "")
    for field in CommandField:
        value = context.config.command(field)
        program = value.partition(",")[0]
        if not value:
            continue
        if runs_in_a_pod(field, program):
            yield unknown(f"{shown(program)} runs in a pod: whether it is there shows when it is run", field)
        else:
            yield _found(field, program, path)
    for key, program in programs.items():
        yield _found(key, program, path)


def _found(what: str, program: str, path: str) -> Finding:
    """Whether the program would be started: found as a run finds it, a file, and executable."""
    try:
        place = find_executable(program, path)
    except NotExecutable:
        return bad(
            f"{shown(program)!r} is not in the $PATH of this worker: install it there, or give its absolute "
            "path",
            what,
        )
    if not os.path.isabs(place):  # noqa: PTH117 - the text as it is given
        return bad(
            f"{shown(place)} is relative, so it depends on where the worker stands: give it from '/'", what
        )
    if not Path(place).is_file():
        return bad(f"There is no program {shown(place)} where this worker runs", what)
    if not os.access(place, os.X_OK):
        return bad(
            f"{shown(place)} may not be executed by the worker's user (uid {os.geteuid()}). "
            f"Run: chmod +x {shown(place)}",
            what,
        )
    return good(f"Found {shown(place)}", what)
