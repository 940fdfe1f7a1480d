"""Tries beforehand the pod in which a database's client programs are to run."""

from workflows_app.domain.errors import FossulError
from workflows_app.domain.findings import Finding, FindingState, good, refusal
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import pod_selector
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.kubernetes.pods import find_pod


def check_pod(context: PluginContext) -> tuple[Finding, ...]:
    """Answer which pod is taken, or why there is none; nothing where programs run beside the worker."""
    if not pod_selector(context.parameters):
        return ()
    try:
        with connected(context) as cluster:
            pod = find_pod(cluster, context.parameters, lambda text: None)
    except FossulError as error:
        return (refusal(error, "PodSelector"),)
    words = f"The programs run in pod {pod.name}, container {pod.container}, of namespace {pod.namespace}"
    return (good(words, "PodSelector"),)


def is_missing(pod: tuple[Finding, ...]) -> bool:
    """Whether ``check_pod`` answered that there is no pod, so that nothing can be asked in it."""
    return any(finding.state is FindingState.BAD for finding in pod)
