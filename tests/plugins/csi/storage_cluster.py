"""A stand-in for a cluster with a CSI driver: claims, snapshots and workloads, and controllers for them.

The controllers act when an object is read: a snapshot is ready after ``reads_until_ready`` reads, a claim
from a snapshot is bound at once unless its class waits for a consumer, a workload has the replicas it asks
for. What the data of a volume is, stands in ``data``, by the volume's name. No package carries a real API
server: nothing here validates, admits or authorises as one does.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.plugins.kubernetes.api_server import ApiServer, status

DRIVER = "driver.example.org"
Object = dict[str, Any]


@dataclass
class StorageCluster(ApiServer):
    """The cluster, with one namespace.

    ``objects`` are by plural and name. ``refuse`` may answer a refusal for a method, a plural and a name.
    """

    objects: dict[str, dict[str, Object]] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)
    reads_until_ready: int = 1
    snapshot_error: str = ""
    binds: bool = True
    starts: bool = True
    refuse: Callable[[str, str, str], web.Response | None] = lambda method, plural, name: None
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def put(self, plural: str, name: str, **body: Any) -> Object:
        made: Object = {"metadata": {"name": name, "labels": {}, "annotations": {}, "generation": 1}, **body}
        self.objects.setdefault(plural, {})[name] = made
        return made

    def add_class(self, name: str = "fast", *, waits: bool = False, driver: str = DRIVER) -> None:
        mode = "WaitForFirstConsumer" if waits else "Immediate"
        self.put("storageclasses", name, provisioner=driver, volumeBindingMode=mode)

    def add_claim(self, name: str, data: str, *, labels: dict[str, str] | None = None) -> None:
        volume = f"pv-{name}"
        self.data[volume] = data
        claim = self.put(
            "persistentvolumeclaims",
            name,
            spec={
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "10Gi"}},
                "storageClassName": "fast",
                "volumeName": volume,
            },
            status={"phase": "Bound"},
        )
        claim["metadata"]["labels"] = labels or {}

    def add_workload(self, plural: str, name: str, *claims: str, replicas: int = 2, **spec: Any) -> None:
        volumes: list[Object] = [{"name": "scratch", "emptyDir": {}}]
        volumes += [{"name": f"v-{c}", "persistentVolumeClaim": {"claimName": c}} for c in claims]
        template = {"spec": {"volumes": volumes, "containers": [{"name": "main"}]}}
        self.put(plural, name, spec={"replicas": replicas, "template": template, **spec}, status={})

    def claims_of(self, plural: str, name: str) -> list[str]:
        volumes = self.objects[plural][name]["spec"]["template"]["spec"]["volumes"]
        return [v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v]

    def names(self, plural: str) -> list[str]:
        return sorted(self.objects.get(plural, {}))

    def data_of(self, claim: str) -> str:
        """What is on the volume of a claim."""
        return self.data[self.objects["persistentvolumeclaims"][claim]["spec"]["volumeName"]]

    def _app(self) -> web.Application:
        app = super()._app()
        for root in ("/api/v1", "/apis/{group}/v1"):
            for space in ("/namespaces/{ns}", ""):
                app.router.add_route("*", f"{root}{space}/{{plural}}", self._all)
                app.router.add_route("*", f"{root}{space}/{{plural}}/{{name}}", self._one)
        return app

    async def _all(self, request: web.Request) -> web.Response:
        plural = request.match_info["plural"]
        body = await request.json() if request.method == "POST" else {}
        name = body.get("metadata", {}).get("name", "")
        if refusal := self._refusal(request.method, plural, name):
            return refusal
        there = self.objects.setdefault(plural, {})
        if request.method == "GET":
            wanted = dict(p.split("=", 1) for p in request.query.get("labelSelector", "").split(",") if p)
            items = [
                self._acted(plural, found)
                for found in list(there.values())
                if wanted.items() <= (found["metadata"].get("labels") or {}).items()
            ]
            return web.json_response({"kind": "List", "items": items})
        if name in there:
            return status(409, "AlreadyExists", f'{plural} "{name}" already exists')
        body["metadata"]["generation"] = 1
        body["status"] = {}
        there[name] = body
        if plural == "volumesnapshots":
            self._snapshot(body)
        if plural == "persistentvolumeclaims":
            self._provision(body)
        return web.json_response(body, status=201)

    async def _one(self, request: web.Request) -> web.Response:
        plural, name = request.match_info["plural"], request.match_info["name"]
        if refusal := self._refusal(request.method, plural, name):
            return refusal
        there = self.objects.get(plural, {})
        if name not in there:
            return status(404, "NotFound", f'{plural} "{name}" not found')
        if request.method == "DELETE":
            del there[name]
            return web.json_response({"kind": "Status", "status": "Success"})
        if request.method == "PATCH":
            assert request.content_type == "application/merge-patch+json"
            _merge(there[name], await request.json())
            there[name]["metadata"]["generation"] += 1
        return web.json_response(self._acted(plural, there[name]))

    def _refusal(self, method: str, plural: str, name: str) -> web.Response | None:
        self.asked.append((method, plural, name))
        verb = {"GET": "get" if name else "list", "POST": "create"}.get(method, method.lower())
        if (verb, plural) in self.denied:
            return status(403, "Forbidden", f"{plural} is forbidden: the user cannot {verb} it")
        return self.refuse(method, plural, name)

    def _acted(self, plural: str, found: Object) -> Object:
        """The object, after its controller had a look at it."""
        if plural == "volumesnapshots":
            self._settle(found)
        elif plural in ("deployments", "deploymentconfigs", "statefulsets"):
            self._roll(found)
        return found

    def _snapshot(self, made: Object) -> None:
        claim = self.objects["persistentvolumeclaims"][made["spec"]["source"]["persistentVolumeClaimName"]]
        handle = f"snap-{next(self.numbers)}"
        self.data[handle] = self.data[claim["spec"]["volumeName"]]
        self.handles[made["metadata"]["name"]] = handle
        made["reads"] = 0

    def _settle(self, found: Object) -> None:
        if self.snapshot_error:
            found["status"] = {"readyToUse": False, "error": {"message": self.snapshot_error}}
            return
        found["reads"] = found.get("reads", 0) + 1
        if found["reads"] < self.reads_until_ready or found["status"].get("readyToUse"):
            return
        name = found["metadata"]["name"]
        self.put(
            "volumesnapshotcontents",
            f"content-{name}",
            status={"readyToUse": True, "snapshotHandle": self.handles[name]},
        )
        found["status"] = {
            "readyToUse": True,
            "restoreSize": "12Gi",
            "boundVolumeSnapshotContentName": f"content-{name}",
        }

    def _provision(self, claim: Object) -> None:
        found = self.objects["storageclasses"][claim["spec"]["storageClassName"]]
        waits = found["volumeBindingMode"] == "WaitForFirstConsumer"
        claim["status"] = {"phase": "Pending"}
        if self.binds and not waits:
            self._bind(claim)

    def _bind(self, claim: Object) -> None:
        volume = f"pv-{next(self.numbers)}"
        self.data[volume] = self.data[self.handles[claim["spec"]["dataSource"]["name"]]]
        claim["spec"]["volumeName"] = volume
        claim["status"] = {"phase": "Bound"}

    def _roll(self, workload: Object) -> None:
        wanted = workload["spec"]["replicas"]
        claims = self.objects["persistentvolumeclaims"]
        volumes = workload["spec"]["template"]["spec"]["volumes"]
        used = [v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v]
        for name in used if wanted else ():
            if claims[name]["status"]["phase"] == "Pending" and self.binds:
                self._bind(claims[name])
        restored = any("-restore-" in name for name in used)
        ready = wanted if self.starts or not restored else 0
        workload["status"] = {
            "replicas": wanted,
            "readyReplicas": ready,
            "observedGeneration": workload["metadata"]["generation"],
        }


def _merge(into: Object, patch: Object) -> None:
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
