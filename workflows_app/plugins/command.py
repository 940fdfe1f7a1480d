"""Runs a configuration's commands, in Fossul's words (fossul-behaviour.md §6)."""

import re

from workflows_app.domain.config import CommandField
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.process import run_process

# Go's regular expression for a command that is to run in a pod; \S is ASCII there.
_IN_A_POD = re.compile(r":\S+", re.ASCII)

# The app service may run its commands in a pod; the storage service runs all of its own itself.
_APP_FIELDS = frozenset(
    {
        CommandField.PRE_QUIESCE,
        CommandField.QUIESCE,
        CommandField.POST_QUIESCE,
        CommandField.PRE_UNQUIESCE,
        CommandField.UNQUIESCE,
        CommandField.POST_UNQUIESCE,
        CommandField.PRE_RESTORE,
        CommandField.POST_RESTORE,
    }
)


def run_command(field: CommandField, context: PluginContext) -> Result:
    """Run the command that ``context.config`` has in ``field`` and answer code 0 or, if it failed, 1.

    The value is split at every comma: no quoting, no trimming, no shell. Messages and levels are
    Fossul's, said through ``context``, with one difference: each line of output is an INFO message at the
    moment it is printed, where Fossul sends the whole output as one message after the end.

    A command of the app service with a ``:`` before a word (``:ls`` or ``host:cmd`` in its first part) runs
    in a pod (``run_pod_command``, which says what that raises), any other on the worker's machine. Raises
    Cancelled.
    """
    value = context.config.command(field)
    program = value.partition(",")[0]
    if runs_in_a_pod(field, program):
        # Only here: the client of Kubernetes takes half a second, and 40 MB for good.
        from workflows_app.plugins.kubernetes.command import run_pod_command

        return run_pod_command(field, context)
    return _run(field.words, value, context)


def runs_in_a_pod(field: CommandField, program: str) -> bool:
    """Whether the command in ``field`` whose first part is ``program`` is one for a pod (§6)."""
    return field in _APP_FIELDS and _IN_A_POD.search(program) is not None


def run_line(name: str, line: str, context: PluginContext) -> Result:
    """Run a plan's own command, ``name`` in its messages, as ``run_command`` runs a configuration's."""
    return _run(name, line, context)


def _run(words: str, value: str, context: PluginContext) -> Result:
    program, *arguments = value.split(",")
    command = f"{program} {' '.join(arguments)}"
    context.info(f"Performing {words} command [{value}]")
    context.say(Level.CMD, f"Executing command [{command}]")
    ended = run_process([program, *arguments], context=context, on_line=context.info)
    if not ended.ok:
        context.say(Level.ERROR, f"Command [{command}] failed")
        context.say(Level.ERROR, f"Command failed with [{ended.reason}]")
        return Result(code=1)
    context.info(f"Command [{command}] completed successfully")
    return Result()
