"""The claims that a configuration backs up: those of a workload, those named, or those with some labels."""

from collections.abc import Iterator
from dataclasses import dataclass

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.csi.objects import CLAIMS, STORAGE_CLASSES, VOLUMES, Kind, Object, Objects
from workflows_app.plugins.csi.parameters import Parameters

_APPS = {
    "Deployment": Kind("apps", "v1", "deployments"),
    "StatefulSet": Kind("apps", "v1", "statefulsets"),
    "DeploymentConfig": Kind("apps.openshift.io", "v1", "deploymentconfigs"),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A bound claim, with what a restored one must have as well. ``size`` is what it asks for (``10Gi``)."""

    name: str
    size: str
    storage_class: str
    access_modes: tuple[str, ...]
    volume_mode: str
    driver: str


def workload_kind(workload_type: str) -> Kind:
    """The kind of object that ``DeploymentType`` names."""
    return _APPS[workload_type]


def find_claims(objects: Objects, parameters: Parameters) -> tuple[Claim, ...]:
    """The claims to back up, by name.

    Raises PluginFailed when there are none, or one is not there, not bound, or of no CSI driver.
    """
    if parameters.workload:
        kind = workload_kind(parameters.workload_type)
        names = tuple(_claims_of(objects.read(kind, parameters.workload), parameters))
        where = f"{parameters.workload_type} {parameters.workload}"
    elif parameters.selector:
        found = objects.list(CLAIMS, parameters.selector)
        names = tuple(claim["metadata"]["name"] for claim in found)
        where = f"the claims with {parameters.selector}"
    else:
        names, where = parameters.claims, "PvcNames"
    if not names:
        raise PluginFailed(f"There is no claim to back up: {where} has none")
    return tuple(_claim(objects, objects.read(CLAIMS, name)) for name in sorted(set(names)))


def claim_volumes(workload: Object) -> Iterator[tuple[int, str]]:
    """The volumes of a workload's pods that are claims: where each is in the list, and the claim's name."""
    volumes = workload["spec"]["template"]["spec"].get("volumes") or ()
    for position, volume in enumerate(volumes):
        if claim := volume.get("persistentVolumeClaim"):
            yield position, claim["claimName"]


def _claims_of(workload: Object, parameters: Parameters) -> Iterator[str]:
    for _, name in claim_volumes(workload):
        yield name
    spec = workload["spec"]
    for template in spec.get("volumeClaimTemplates") or ():
        # https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-storage
        for number in range(spec.get("replicas", 1)):
            yield f"{template['metadata']['name']}-{parameters.workload}-{number}"


def _claim(objects: Objects, found: Object) -> Claim:
    name, spec = found["metadata"]["name"], found["spec"]
    phase = (found.get("status") or {}).get("phase")
    if phase != "Bound" or not spec.get("volumeName"):
        raise PluginFailed(
            f"The claim {name} is {phase or 'in no known state'}, not Bound: there is nothing to snapshot yet"
        )
    return Claim(
        name=name,
        size=spec["resources"]["requests"]["storage"],
        storage_class=spec.get("storageClassName") or "",
        access_modes=tuple(spec.get("accessModes") or ("ReadWriteOnce",)),
        volume_mode=spec.get("volumeMode") or "Filesystem",
        driver=_driver(objects, name, spec),
    )


def _driver(objects: Objects, name: str, spec: Object) -> str:
    """The CSI driver of a claim's volume: its storage class says it, or the volume itself."""
    if storage_class := spec.get("storageClassName"):
        found = objects.find(STORAGE_CLASSES, storage_class)
        if found is not None:
            return str(found["provisioner"])
    volume = objects.read(VOLUMES, spec["volumeName"])
    driver = (volume["spec"].get("csi") or {}).get("driver")
    if not driver:
        raise PluginFailed(
            f"The volume of the claim {name} is of no CSI driver that could snapshot it: use container-basic"
        )
    return str(driver)
