"""Runs a configuration's commands in a pod of its application, in Fossul's words (fossul-behaviour.md §6)."""

from dataclasses import replace

from workflows_app.domain.config import CommandField
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.kubernetes.channels import Channel
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.kubernetes.exec import run_in_pod
from workflows_app.plugins.kubernetes.pods import find_pod

_SAYS = {Channel.STDOUT: (Level.DEBUG, "STDOUT"), Channel.STDERR: (Level.WARN, "STDERR")}


def run_pod_command(field: CommandField, context: PluginContext) -> Result:
    """Run the command that ``context.config`` has in ``field`` in a pod; code 0 or, if it failed, 1.

    The pod is what the ``AppPluginParameters`` of the configuration say: ``Namespace``, ``PodSelector`` or
    ``LabelSelector``, ``ContainerName``. The value is split at every comma; the first ``:`` of the first part
    is dropped. Messages are Fossul's, but each line of output is one, said as it is printed; Fossul says the
    whole output after the end, and what a failed command printed not at all.

    Raises ConfigInvalid and PluginFailed when there is no such pod or the cluster does not run the command,
    and Cancelled.
    """
    value = context.config.command(field)
    program, *arguments = value.split(",")
    program = program.replace(":", "", 1)
    command = f"{program} {' '.join(arguments)}"
    context = replace(context, parameters=context.config.app_plugin_parameters)
    with connected(context) as cluster:
        pod = find_pod(cluster, context.parameters, context.info)
        context.info(f"Performing {_words(field)} command [{value}] on pod [{pod.name}]")
        context.say(Level.CMD, f"Executing command [{command}] {pod.where}")

        def say(channel: Channel, line: str) -> None:
            level, stream = _SAYS[channel]
            context.say(level, f"{stream}: {line}")

        ended = run_in_pod(context, cluster, pod, [program, *arguments], say)
    if not ended.ok:
        context.say(Level.ERROR, f"Could not execute command: {ended.reason}")
        return Result(code=1)
    context.info(
        f"Command [{command}] on pod [{pod.name}] container [{pod.container}] completed successfully"
    )
    return Result()


def _words(field: CommandField) -> str:
    """Fossul's words; of one command they are in another order."""
    return "post remote quiesce" if field is CommandField.POST_QUIESCE else f"remote {field.words}"
