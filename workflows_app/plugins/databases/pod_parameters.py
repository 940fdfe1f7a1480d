"""The parameters by which a database plugin works in a pod, or into one (fossul-behaviour.md §7.5)."""

from collections.abc import Mapping
from dataclasses import replace

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.kubernetes.client import PARAMETERS as CLUSTER
from workflows_app.plugins.kubernetes.pods import PARAMETERS as PODS

_SELECTORS = ("PodSelector", "LabelSelector")
_OWN = frozenset({"localhost", "127.0.0.1", "::1"})
_HELP = {
    "Namespace": "The namespace of the pod. Needed with PodSelector or LabelSelector.",
    "PodSelector": "A part of the name of a pod, such as db-: the client programs run in it. Of several pods "
    "of a workload the newest is taken. Empty: they run beside the worker.",
}

SPECS = tuple(
    spec.model_copy(update={"required": False, "help": _HELP.get(spec.name, spec.help)})
    for spec in (*PODS, *CLUSTER)
)
"""Those of a plugin whose programs run in the pod."""

_WAY = (
    "A part of the name of the server's pod, such as db-: its port is forwarded to the worker. Of several "
    "pods of a workload the newest is taken. Empty: the worker reaches the server by itself."
)
FORWARDED_SPECS = tuple(
    spec.model_copy(update={"help": _WAY}) if spec.name == "PodSelector" else spec
    for spec in SPECS
    if spec.name != "ContainerName"
)
"""Those of a plugin whose server is reached through a pod, by its port."""


def pod_selector(given: Mapping[str, str]) -> str:
    """What chooses the pod, for messages; empty when the programs run beside the worker.

    Raises ConfigInvalid for a pod without its namespace.
    """
    selector = " ".join(text for name in _SELECTORS if (text := given.get(name, "").strip()))
    if selector and not given.get("Namespace", "").strip():
        raise ConfigInvalid("Namespace", "is empty: give the namespace of the pod")
    return selector


def refuse_elsewhere(field: str, host: str) -> None:
    """Raise ConfigInvalid when ``host``, given by ``field``, is not the pod's own localhost."""
    if host not in _OWN:
        raise ConfigInvalid(
            field,
            f"{host!r} is not in the pod: a server in a pod is reached at its localhost, leave it empty",
        )


def without_pod(context: PluginContext) -> PluginContext:
    """The same call, but for programs that run beside the worker also when a pod is chosen."""
    given = {name: value for name, value in context.parameters.items() if name not in _SELECTORS}
    return replace(context, parameters=given)
