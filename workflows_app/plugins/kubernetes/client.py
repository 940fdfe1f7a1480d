"""The client of a cluster: by a kubeconfig, or by the service account of the pod that the worker runs in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, Configuration
from kubernetes.client.rest import RESTResponse
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import load_incluster_config
from kubernetes.config.kube_config import load_kube_config
from urllib3.util import Retry

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.kubernetes.errors import asking
from workflows_app.plugins.values import flag

TIMEOUT = (10, 30)
"""Seconds to connect, and to wait for an answer, of every request that names none of its own."""

# A request that could not be sent is tried again; one that was sent is not.
_RETRIES = Retry(total=2, connect=2, read=0, redirect=0, status=0, other=0, backoff_factor=0.2)

PARAMETERS = (
    ParameterSpec(name="Namespace", help="The namespace of the pod", required=True),
    ParameterSpec(
        name="KubeConfig",
        help="The kubeconfig file where the worker runs. Empty: the worker's KUBECONFIG, else "
        "~/.kube/config. Not used where AccessWithinCluster is true",
    ),
    ParameterSpec(name="KubeContext", help="The context in the kubeconfig. Empty: its current one"),
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster to ask, and the namespace that the parameter ``Namespace`` names.

    ``api`` goes into the official client's classes (``CoreV1Api(cluster.api)``); its requests have a timeout.
    ``host`` is the address, for messages.
    """

    api: ApiClient
    namespace: str
    host: str

    @contextmanager
    def asking(self, verb: str, resource: str, namespace: str | None = None) -> Iterator[None]:
        """Around a request: what it raises becomes PluginFailed (``errors.asking``).

        ``namespace`` is another one than the cluster's, ``""`` for what belongs to none.
        """
        space = self.namespace if namespace is None else namespace
        where = f"namespace {space!r} of {self.host}" if space else self.host
        with asking(verb, resource, where):
            yield

    def close(self) -> None:
        """Close the connections."""
        self.api.rest_client.close()
        self.api.close()  # type: ignore[no-untyped-call]


def connect(context: PluginContext) -> Cluster:
    """The cluster that a call's parameters mean; nothing is sent yet.

    ``AccessWithinCluster`` (of the parameters, else of the configuration) ``true`` means the cluster that the
    worker runs in; else the kubeconfig counts: the parameter ``KubeConfig``, the worker's ``KUBECONFIG``, or
    ``~/.kube/config``. The caller closes it. Raises ConfigInvalid, and PluginFailed when there are no usable
    credentials.
    """
    configuration = Configuration()
    configuration.retries = _RETRIES
    namespace = _namespace(context)
    within = context.parameters.get("AccessWithinCluster") or context.config.access_within_cluster
    if flag("AccessWithinCluster", within, default=False):
        _load_service_account(configuration)
    else:
        _load_kubeconfig(configuration, context)
    return Cluster(_PatientClient(configuration), namespace, configuration.host)


@contextmanager
def connected(context: PluginContext) -> Iterator[Cluster]:
    """``connect``, closed in the end."""
    cluster = connect(context)
    try:
        yield cluster
    finally:
        cluster.close()


class _PatientClient(ApiClient):
    """The official client, with a timeout for every request: by itself it waits for ever."""

    def call_api(
        self,
        method: str,
        url: str,
        header_params: Any = None,
        body: Any = None,
        post_params: Any = None,
        _request_timeout: Any = None,
    ) -> RESTResponse:
        """Send a request and answer what came back. Raises as the official client."""
        timeout = _request_timeout or TIMEOUT
        return super().call_api(method, url, header_params, body, post_params, timeout)


def _namespace(context: PluginContext) -> str:
    namespace = context.parameters.get("Namespace", "").strip()
    if not namespace:
        raise ConfigInvalid("Namespace", "is empty: give the namespace of the pod")
    if len(namespace) > 63 or not namespace.replace("-", "").isalnum() or not namespace.isascii():
        raise ConfigInvalid("Namespace", f"{namespace!r} is not the name of a namespace")
    return namespace


def _load_service_account(configuration: Configuration) -> None:
    try:
        load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise PluginFailed(
            f"AccessWithinCluster is true, but this worker has no service account of a pod: {error}. Run the "
            "worker in the cluster, or set AccessWithinCluster to false and give a kubeconfig"
        ) from None


def _load_kubeconfig(configuration: Configuration, context: PluginContext) -> None:
    given = context.parameters.get("KubeConfig", "").strip()
    files = given or context.environment.get("KUBECONFIG", "") or str(Path("~/.kube/config").expanduser())
    name = context.parameters.get("KubeContext", "").strip()
    try:
        load_kube_config(  # type: ignore[no-untyped-call]
            files, name or None, configuration, persist_config=False
        )
    except Exception as error:  # the loader lets through whatever a broken file makes it stumble over
        told = str(error).rstrip(".") if isinstance(error, (ConfigException, OSError)) else "it is broken"
        raise PluginFailed(
            f"Cannot use the kubeconfig {files}: {told}. Give the parameter KubeConfig (and KubeContext), or "
            "set the worker's KUBECONFIG"
        ) from None
