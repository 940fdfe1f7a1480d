"""Tries beforehand the pod in which a database's client programs are to run, or its server is."""

from collections.abc import Callable

from workflows_app.domain.errors import FossulError
from workflows_app.domain.findings import Finding, FindingState, good, refusal
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import pod_selector
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.kubernetes.pods import Pod, find_pod


def check_pod(context: PluginContext) -> tuple[Finding, ...]:
    """Answer which pod is taken, or why there is none; nothing where programs run beside the worker."""
    return _found(
        context,
        lambda pod: (
            f"The programs run in pod {pod.name}, container {pod.container}, of namespace {pod.namespace}"
        ),
        any_container=False,
    )


def check_way(context: PluginContext) -> tuple[Finding, ...]:
    """As ``check_pod``, for a server that programs beside the worker reach through its pod."""
    return _found(
        context,
        lambda pod: f"The way to the server is through pod {pod.name} of namespace {pod.namespace}",
        any_container=True,
    )


def _found(
    context: PluginContext, words: Callable[[Pod], str], *, any_container: bool
) -> tuple[Finding, ...]:
    if not pod_selector(context.parameters):
        return ()
    try:
        with connected(context) as cluster:
            pod = find_pod(cluster, context.parameters, lambda text: None, any_container=any_container)
    except FossulError as error:
        return (refusal(error, "PodSelector"),)
    return (good(words(pod), "PodSelector"),)


def is_missing(pod: tuple[Finding, ...]) -> bool:
    """Whether ``check_pod`` or ``check_way`` answered that there is no pod, so that nothing can be asked."""
    return any(finding.state is FindingState.BAD for finding in pod)
