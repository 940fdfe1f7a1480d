"""Which VolumeSnapshotClass a claim's snapshot is made with."""

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.csi.claims import Claim
from workflows_app.plugins.csi.objects import SNAPSHOT_CLASSES, Object, Objects
from workflows_app.plugins.csi.parameters import Parameters

_DEFAULT = "snapshot.storage.kubernetes.io/is-default-class"


def snapshot_class_for(objects: Objects, parameters: Parameters, claim: Claim) -> str:
    """The class that was asked for, the default one of the claim's driver, or its only one.

    Raises PluginFailed when there is none, when several could be meant, and when the one asked for is of
    another driver.
    """
    if parameters.snapshot_class:
        found = objects.read(SNAPSHOT_CLASSES, parameters.snapshot_class)
        if found["driver"] != claim.driver:
            raise PluginFailed(
                f"SnapshotClass {parameters.snapshot_class} is of the driver {found['driver']}, but the "
                f"claim {claim.name} is of {claim.driver}: choose another class"
            )
        return parameters.snapshot_class
    fitting = [one for one in objects.list(SNAPSHOT_CLASSES) if one["driver"] == claim.driver]
    chosen = [one for one in fitting if _is_default(one)] or fitting
    if not chosen:
        raise PluginFailed(
            f"There is no VolumeSnapshotClass for {claim.driver}, the driver of the claim {claim.name}: "
            "create one, or back its files up with container-basic"
        )
    names = [str(one["metadata"]["name"]) for one in chosen]
    if len(names) > 1:
        raise PluginFailed(
            f"Several VolumeSnapshotClasses fit the claim {claim.name}: {', '.join(sorted(names))}. Name one "
            "in SnapshotClass"
        )
    return names[0]


def _is_default(found: Object) -> bool:
    return (found["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"
