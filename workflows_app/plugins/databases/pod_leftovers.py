"""Ends the programs that a lost worker left running in a pod; ``leftovers`` ends those beside a worker.

A program whose input has ended is killed there by itself (``InPod.take``). But a cluster may learn late, or
never, that a worker is gone; and what such a program wants to write then makes it wait, with its locks.
"""

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod import InPod

_ENDED = "ended"
# A constant. What is looked for is given in two parts, so that nothing that only looks for it has it.
_SCRIPT = f"""for entry in /proc/[0-9]*; do
  pid=${{entry#/proc/}}
  case "$(tr '\\000' ' ' <"$entry/cmdline")" in
    *" $1=$2 "*) kill -9 "$pid" && echo {_ENDED} ;;
  esac
done 2>/dev/null
exit 0
"""


def end_in_pod(context: PluginContext, pod: InPod, argument: str) -> None:
    """End the processes in ``pod`` that have ``argument``, which only this run gives, exactly.

    It has the form ``--option=value``. That it cannot be done is a warning. Raises Cancelled.
    """
    option, _, value = argument.partition("=")
    lines: list[str] = []
    try:
        ended = pod.run(["sh", "-c", _SCRIPT, "sh", option, value], lines.append)
    except (ConfigInvalid, PluginFailed) as error:
        context.warn(f"A lost worker may have left a program of this run in the pod: {error}")
        return
    if not ended.ok:
        context.warn(
            f"A lost worker may have left a program of this run {pod.pod.where}: looking for it ended with "
            f"[{ended.reason}]"
        )
    elif _ENDED in lines:
        context.warn(f"Ended a program that a lost worker had left of this run {pod.pod.where}")
