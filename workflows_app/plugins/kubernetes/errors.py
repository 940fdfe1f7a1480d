"""What goes wrong with a cluster, in words for the operator, and never with a credential."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from workflows_app.domain.errors import PluginFailed

_UNREACHABLE = "the cluster cannot be reached. Check its address in the kubeconfig, and the network"
NOT_TRUSTED = (
    "the cluster's certificate is not trusted, or the client's is not accepted. Check the certificates in "
    "the kubeconfig"
)
NOT_KNOWN = (
    "the cluster does not accept the worker's credentials. Check the user in the kubeconfig, or the pod's "
    "service account"
)


class ClusterRefused(PluginFailed):
    """The cluster answered, and said no; ``status`` is the HTTP status: 404 for what is not there."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


@contextmanager
def asking(verb: str, resource: str, where: str) -> Iterator[None]:
    """Turn what the client raises into PluginFailed: ``Cannot <verb> <resource> in <where>: …``.

    ``verb`` and ``resource`` are Kubernetes' own (``list``, ``pods``), as a Role names them; ``resource`` may
    have a name after it (``pods db-0``). An answer of the cluster becomes ClusterRefused.
    """
    what = f"Cannot {verb} {resource} in {where}"
    try:
        yield
    except ApiException as error:
        status = int(error.status or 0)
        if not status:
            raise PluginFailed(f"{what}: {NOT_TRUSTED}") from None
        told = told_by(error.body or "") or error.reason or "nothing more"
        raise ClusterRefused(f"{what}: {refusal(status, verb, resource, told)}", status) from None
    except HTTPError as error:
        raise PluginFailed(f"{what}: {_trouble(error)}") from None


def refusal(status: int, verb: str, resource: str, told: str) -> str:
    """What an HTTP status of the cluster means; ``told`` is what it said itself."""
    if status == 401:
        return NOT_KNOWN
    if status == 403:
        return (
            f"the cluster does not allow it ({told}). Give the worker's user or service account a Role with "
            f"the verb {verb!r} on {resource.partition(' ')[0]!r}"
        )
    if status == 404:
        return f"it is not there ({told})"
    if status == 429 or status >= 500:
        return f"the cluster is not able to answer now: {told} (HTTP {status})"
    return f"the cluster says {told!r} (HTTP {status})"


def told_by(body: str | bytes) -> str:
    """The message of a Status that the cluster answered, on one line; empty where there is none."""
    try:
        status = json.loads(body)
    except ValueError:
        return ""
    message = status.get("message") if isinstance(status, dict) else None
    return " ".join(message.split()) if isinstance(message, str) else ""


def _trouble(error: HTTPError) -> str:
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    if isinstance(reason, SSLError):
        return NOT_TRUSTED
    if isinstance(reason, ProxyError):
        return "the proxy does not let the worker through. Check proxy-url in the kubeconfig, or HTTPS_PROXY"
    if isinstance(reason, NameResolutionError):
        return "the name of the cluster's server is not known here. Check its address in the kubeconfig"
    if isinstance(reason, (NewConnectionError, ConnectTimeoutError)):
        return _UNREACHABLE
    if isinstance(reason, ReadTimeoutError):
        return "the cluster did not answer in time. Check it and the network"
    return "the connection to the cluster broke. Check it and the network"
