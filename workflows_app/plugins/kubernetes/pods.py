"""Finds the pod and the container that a configuration means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from kubernetes.client import CoreV1Api, V1Pod

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.kubernetes.client import Cluster

PARAMETERS = (
    ParameterSpec(
        name="PodSelector",
        help="A part of the pod's name, such as mariadb-. Of several pods of a workload the newest is taken",
    ),
    ParameterSpec(
        name="LabelSelector",
        help="The pod's labels instead, such as app=mariadb,tier=db. With PodSelector, both must fit",
    ),
    ParameterSpec(name="ContainerName", help="The container, where the pod has more than one"),
)

_NAMED = 5
_OLD = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pod:
    """A container in a pod that runs; ``container`` is its name, empty where none is meant."""

    namespace: str
    name: str
    container: str

    @property
    def where(self) -> str:
        """Where a command runs, in Fossul's words (fossul-behaviour.md §6)."""
        return f"in namespace [{self.namespace}] on pod [{self.name}] container [{self.container}]"


def find_pod(
    cluster: Cluster,
    parameters: Mapping[str, str],
    say: Callable[[str], None],
    *,
    any_container: bool = False,
) -> Pod:
    """The newest pod that runs, is ready and fits ``PodSelector`` and ``LabelSelector``, and its container.

    Fossul takes the last one of the cluster's list that runs. ``say`` is told which of several was taken.
    With ``any_container`` none needs to be named: they share their ports.
    Raises PluginFailed when there is none, when those that fit belong to different workloads, and for a
    container that is not there or has to be named.
    """
    wanted = parameters.get("PodSelector", "").strip()
    labels = parameters.get("LabelSelector", "").strip()
    what = " and ".join(
        words for words in (wanted and f"{wanted!r} in the name", labels and f"the labels {labels}") if words
    )
    with cluster.asking("list", "pods"):
        found = CoreV1Api(cluster.api).list_namespaced_pod(cluster.namespace, label_selector=labels or None)
    fitting = [pod for pod in found.items if wanted in _name(pod)]
    ready = sorted((pod for pod in fitting if _state(pod) == "ready"), key=_age)
    if not ready:
        raise PluginFailed(_none(cluster.namespace, what, fitting))
    if len({_workload(pod) for pod in ready}) > 1:
        raise PluginFailed(
            f"Pods of different workloads in namespace {cluster.namespace!r} fit: "
            f"{_names(ready)}. Give more of the name in PodSelector, or a LabelSelector"
        )
    pod = ready[-1]
    if len(ready) > 1:
        say(f"Pods {_names(ready)} fit; the newest, {_name(pod)}, is taken")
    container = parameters.get("ContainerName", "").strip()
    if container or not any_container:
        container = _container(pod, container)
    return Pod(cluster.namespace, _name(pod), container)


def _none(namespace: str, what: str, fitting: list[V1Pod]) -> str:
    with_what = f" with {what}" if what else ""
    if not fitting:
        return (
            f"There is no pod{with_what} in namespace {namespace!r}. Check Namespace, PodSelector and "
            "LabelSelector"
        )
    states = ", ".join(f"{_name(pod)} is {_state(pod)}" for pod in fitting[:_NAMED])
    more = f" and {len(fitting) - _NAMED} more" if len(fitting) > _NAMED else ""
    return (
        f"No pod{with_what} in namespace {namespace!r} is running and ready: {states}{more}. Wait until one "
        "is, or see why it is not with kubectl describe pod"
    )


def _container(pod: V1Pod, wanted: str) -> str:
    names = [container.name for container in (pod.spec.containers if pod.spec else [])]
    if not wanted and len(names) == 1:
        return names[0]
    if not wanted:
        # Fossul's words (§6), then ours.
        raise PluginFailed(
            f"Pod [{_name(pod)}] has more than one containers please specify ContainerName parameter in "
            f"storage plugin config: {', '.join(names)}"
        )
    if wanted not in names:
        raise PluginFailed(
            f"Pod [{_name(pod)}] has no container {wanted!r}: give one of {', '.join(names)} as ContainerName"
        )
    return wanted


def _state(pod: V1Pod) -> str:
    """``ready``, or what it is instead."""
    if pod.metadata and pod.metadata.deletion_timestamp:
        return "being deleted"
    phase = (pod.status.phase if pod.status else None) or "Unknown"
    if phase != "Running":
        return phase
    conditions = (pod.status.conditions if pod.status else None) or []
    ready = any(condition.type == "Ready" and condition.status == "True" for condition in conditions)
    return "ready" if ready else "Running but not ready"


def _workload(pod: V1Pod) -> str:
    """What the pod belongs to: two pods of one deployment have it in common, whatever their version."""
    metadata = pod.metadata
    labels = (metadata.labels if metadata else None) or {}
    owner = next(
        (owner for owner in (metadata.owner_references if metadata else None) or [] if owner.controller), None
    )
    if config := labels.get("deploymentconfig"):  # OpenShift
        return f"DeploymentConfig {config}"
    if owner is None:
        return f"Pod {_name(pod)}"
    return f"{owner.kind} {owner.name.removesuffix('-' + labels.get('pod-template-hash', ''))}"


def _age(pod: V1Pod) -> tuple[datetime, str]:
    created = pod.metadata.creation_timestamp if pod.metadata else None
    return created or _OLD, _name(pod)


def _name(pod: V1Pod) -> str:
    return (pod.metadata.name if pod.metadata else None) or ""


def _names(pods: list[V1Pod]) -> str:
    more = f" and {len(pods) - _NAMED} more" if len(pods) > _NAMED else ""
    return ", ".join(_name(pod) for pod in pods[:_NAMED]) + more
