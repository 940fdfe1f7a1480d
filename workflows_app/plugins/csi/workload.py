"""Points a workload to other claims, and back again when that does not go well.

The live claims are never deleted, and are not used by anything new before the restored ones are there.
"""

from collections.abc import Mapping
from typing import Any

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.csi.claims import claim_volumes, workload_kind
from workflows_app.plugins.csi.objects import Object, Objects
from workflows_app.plugins.csi.parameters import Parameters
from workflows_app.plugins.csi.waiting import wait_for

# As long as it is stopped the workload itself says how many replicas it had: a worker may die meanwhile.
_REPLICAS = "fossul.io/replicas"
# How many seconds a cluster that does not answer is asked to give the workload back what it had.
_PATIENCE = 120


class Workload:
    """A Deployment or DeploymentConfig whose claims are replaced."""

    def __init__(self, context: PluginContext, objects: Objects, parameters: Parameters) -> None:
        self._context = context
        self._objects = objects
        self._kind = workload_kind(parameters.workload_type)
        self._name = parameters.workload
        self._words = f"{parameters.workload_type} {parameters.workload}"
        self._seconds = parameters.bind_timeout
        found = objects.read(self._kind, self._name)
        self._replicas = _replicas_of(found)
        self._volumes: Any = found["spec"]["template"]["spec"].get("volumes") or []
        self._claims = dict(claim_volumes(found))

    def refuse_unused(self, claims: Mapping[str, str]) -> None:
        """Raise PluginFailed unless the workload uses every one of the claims that are to be replaced."""
        unused = set(claims) - set(self._claims.values())
        if unused:
            raise PluginFailed(
                f"{self._words} does not use {', '.join(sorted(unused))} any more: restore to new claims, "
                "and point it to them yourself"
            )

    def describe(self, claims: Mapping[str, str]) -> str:
        """What ``use`` would do, in words."""
        swaps = ", ".join(f"{new} in place of {old}" for old, new in sorted(claims.items()))
        return f"{self._words} would be scaled from {self._replicas} to 0, given {swaps}, and scaled back"

    def use(self, claims: Mapping[str, str]) -> None:
        """Let the workload use the new claims, by the names of the old ones, and wait until it is ready.

        Raises PluginFailed, and Cancelled; then the workload has its old claims and its replicas again, or
        that is said.
        """
        try:
            self._scale(0)
            if wait_for(self._context, self._seconds, self._gone) is None:
                raise PluginFailed(f"The pods of {self._words} did not end within {self._seconds} s")
            self._context.info(f"{self._words} is stopped; pointing it to the restored claims")
            self._patch({"template": {"spec": {"volumes": self._with(claims)}}})
            self._scale(self._replicas)
            if wait_for(self._context, self._seconds, self._ready) is None:
                raise PluginFailed(
                    f"{self._words} was not ready within {self._seconds} s with the restored claims"
                )
        except BaseException:
            self._undo()
            raise
        old = ", ".join(sorted(claims))
        self._context.info(
            f"{self._words} runs with the restored claims. Its former ones ({old}) are untouched: delete "
            "them when you are sure, or point it back to them"
        )

    def _undo(self) -> None:
        self._context.warn(f"Giving {self._words} its own claims and {self._replicas} replicas back")
        failures: list[PluginFailed] = []

        def give_back() -> bool | None:
            try:
                self._patch(
                    {"replicas": self._replicas, "template": {"spec": {"volumes": list(self._volumes)}}}
                )
            except PluginFailed as error:
                failures.append(error)
                return None
            return True

        # Also when the call is cancelled: what stands still is not left so.
        if wait_for(self._context.to_the_end(), min(self._seconds, _PATIENCE), give_back) is None:
            self._context.warn(
                f"{self._words} could not be given back what it had: {failures[-1]}. Its claims are "
                f"untouched; set its volumes to {', '.join(sorted(self._claims.values()))} and its replicas "
                f"to {self._replicas} yourself"
            )

    def _with(self, claims: Mapping[str, str]) -> list[Object]:
        changed = []
        for position, volume in enumerate(self._volumes):
            old = self._claims.get(position, "")
            if old in claims:
                claim = {**volume["persistentVolumeClaim"], "claimName": claims[old]}
                volume = {**volume, "persistentVolumeClaim": claim}
            changed.append(volume)
        return changed

    def _scale(self, replicas: int) -> None:
        self._context.info(f"Scaling {self._words} to {replicas}")
        self._patch({"replicas": replicas})

    def _patch(self, spec: Object) -> None:
        changed: dict[str, Object] = {"spec": spec}
        if "replicas" in spec:
            stopped = str(self._replicas) if spec["replicas"] == 0 else None
            changed["metadata"] = {"annotations": {_REPLICAS: stopped}}
        self._objects.patch(self._kind, self._name, changed)

    def _gone(self) -> bool | None:
        status = self._objects.read(self._kind, self._name).get("status") or {}
        return True if not status.get("replicas") else None

    def _ready(self) -> bool | None:
        found = self._objects.read(self._kind, self._name)
        status = found.get("status") or {}
        seen = status.get("observedGeneration", 0) >= found["metadata"].get("generation", 0)
        return True if seen and status.get("readyReplicas", 0) >= self._replicas else None


def _replicas_of(found: Object) -> int:
    """How many replicas a workload has, or had before a restore stopped it that did not end."""
    replicas = int(found["spec"].get("replicas", 1))
    noted = str((found["metadata"].get("annotations") or {}).get(_REPLICAS, ""))
    return int(noted) if replicas == 0 and noted.isdecimal() and len(noted) < 6 else replicas
