"""Reads and writes a cluster's objects as they are in JSON, whatever their kind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from kubernetes.client.exceptions import ApiException

from workflows_app.plugins.kubernetes.client import Cluster
from workflows_app.plugins.kubernetes.errors import ClusterRefused

Object = Mapping[str, Any]

_MERGE = "application/merge-patch+json"
_VERBS = {"GET": "get", "POST": "create", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: its API group (empty for the core), version and plural.

    ``namespaced`` says whether its objects belong to a namespace.
    """

    group: str
    version: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The kind's ``apiVersion``."""
        return f"{self.group}/{self.version}" if self.group else self.version


CLAIMS = Kind("", "v1", "persistentvolumeclaims")
VOLUMES = Kind("", "v1", "persistentvolumes", namespaced=False)
SNAPSHOTS = Kind("snapshot.storage.k8s.io", "v1", "volumesnapshots")
SNAPSHOT_CONTENTS = Kind("snapshot.storage.k8s.io", "v1", "volumesnapshotcontents", namespaced=False)
SNAPSHOT_CLASSES = Kind("snapshot.storage.k8s.io", "v1", "volumesnapshotclasses", namespaced=False)
STORAGE_CLASSES = Kind("storage.k8s.io", "v1", "storageclasses", namespaced=False)


class Objects:
    """The objects of a cluster in the namespace that the parameters name.

    Every method raises ClusterRefused for what the cluster refuses (status 404: not there, 409: in the way)
    and PluginFailed when it does not answer.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def read(self, kind: Kind, name: str) -> Object:
        """The object of that name."""
        return self._ask("GET", kind, name)

    def find(self, kind: Kind, name: str) -> Object | None:
        """The object of that name; None when there is none."""
        try:
            return self.read(kind, name)
        except ClusterRefused as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind: Kind, labels: str = "") -> list[Object]:
        """All objects of a kind, those with ``labels`` (a selector) alone where that is not empty."""
        found = self._ask("GET", kind, query={"labelSelector": labels} if labels else {})
        return list(found.get("items") or ())

    def create(self, kind: Kind, body: Object) -> Object:
        """Create an object."""
        return self._ask("POST", kind, body=body)

    def patch(self, kind: Kind, name: str, body: Object) -> Object:
        """Merge ``body`` into an object: None removes what is there under a key."""
        return self._ask("PATCH", kind, name, body=body)

    def delete(self, kind: Kind, name: str) -> None:
        """Delete an object, unless it is gone already."""
        try:
            self._ask("DELETE", kind, name)
        except ClusterRefused as error:
            if error.status != 404:
                raise

    def _ask(
        self, method: str, kind: Kind, name: str = "", body: Object | None = None, query: Object | None = None
    ) -> Object:
        api = self._cluster.api
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = _MERGE if method == "PATCH" else "application/json"
        path = self._path(kind, name) + (f"?{urlencode(query)}" if query else "")
        what = f"{kind.plural}{f'.{kind.group}' if kind.group else ''}{f' {name}' if name else ''}"
        verb = _VERBS[method] if name or method != "GET" else "list"
        with self._cluster.asking(verb, what, None if kind.namespaced else ""):
            given = api.param_serialize(
                method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            response = api.call_api(*given)
            answer = response.read()  # type: ignore[no-untyped-call]
            if not 200 <= response.status < 300:
                raise ApiException(http_resp=response)
        found: Object = json.loads(answer) if answer else {}
        return found

    def _path(self, kind: Kind, name: str) -> str:
        root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        space = f"/namespaces/{self._cluster.namespace}" if kind.namespaced else ""
        return f"{root}{space}/{kind.plural}{f'/{name}' if name else ''}"
