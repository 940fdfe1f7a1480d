"""Restores a backup: to new claims, and if that is asked lets the workload use them.

No claim is ever deleted or overwritten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.csi.objects import CLAIMS, SNAPSHOTS, STORAGE_CLASSES, Object, Objects
from workflows_app.plugins.csi.parameters import Parameters
from workflows_app.plugins.csi.quantities import larger
from workflows_app.plugins.csi.snapshots import Snapshot, find_backup
from workflows_app.plugins.csi.verification import refuse_unusable
from workflows_app.plugins.csi.waiting import wait_for
from workflows_app.plugins.csi.workload import Workload
from workflows_app.plugins.kubernetes.client import connected

_RESTORED_FROM = "fossul.io/restored-from"
_LONGEST = 253


def restore_backup(context: PluginContext) -> Result:
    """Restore ``context.config.backup`` to new claims, ``<claim>-restore-<run>`` each.

    With ``OverwritePvcOnRestore`` the workload is then stopped, pointed to them, and started. A dry run
    creates nothing and says what would be done. Raises ConfigInvalid, and PluginFailed: before anything is
    created for a backup that is not usable; later when a claim is not bound in time (what was created is
    deleted again) or the workload does not get ready (it has its own claims again); Cancelled likewise.
    """
    parameters = Parameters.of(context)
    if context.restore.target:
        raise ConfigInvalid("target", "a claim has no path: leave the target empty, new claims are made")
    if context.restore.files:
        raise ConfigInvalid("files", "single files cannot be restored from a snapshot: restore to new claims")
    context.info("Performing CSI restore")
    with connected(context) as cluster:
        objects = Objects(cluster)
        snapshots = find_backup(objects, parameters, context.config.backup)
        refuse_unusable(objects, snapshots)
        restored = [_Restored.of(snapshot, context.config.workflow_id) for snapshot in snapshots]
        _refuse_taken(objects, restored)
        swaps = {one.snapshot.claim.name: one.name for one in restored}
        workload = Workload(context, objects, parameters) if parameters.overwrites else None
        if workload:
            workload.refuse_unused(swaps)
        if context.restore.dry_run:
            _tell(context, restored, workload, swaps)
            return Result()
        late = _create(context, objects, parameters, restored)
        if workload:
            workload.use(swaps)
            late = _waiting(objects, late)
    made = ", ".join(one.name for one in restored)
    if late:
        context.warn(
            f"The claims {', '.join(late)} wait for their first consumer, as their storage class has it: "
            "they are bound, and the data is there, when a pod uses them"
        )
    context.info(f"Backup {context.config.backup.name} restored to {made}")
    return Result()


@dataclass(frozen=True, slots=True)
class _Restored:
    """A claim to make of a snapshot."""

    snapshot: Snapshot
    name: str

    @classmethod
    def of(cls, snapshot: Snapshot, run: str) -> "_Restored":
        ending = f"-restore-{run}"
        return cls(snapshot, f"{snapshot.claim.name[: _LONGEST - len(ending)]}{ending}")

    @property
    def size(self) -> str:
        """What the claim asks for: what the old one did, or more where the snapshot needs it."""
        return larger(self.snapshot.claim.size, self.snapshot.restore_size)

    def body(self) -> Object:
        """The claim to create."""
        claim = self.snapshot.claim
        spec: dict[str, object] = {
            "accessModes": list(claim.access_modes),
            "volumeMode": claim.volume_mode,
            "resources": {"requests": {"storage": self.size}},
            "dataSource": {
                "apiGroup": SNAPSHOTS.group,
                "kind": "VolumeSnapshot",
                "name": self.snapshot.name,
            },
        }
        if claim.storage_class:
            spec["storageClassName"] = claim.storage_class
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": self.name, "annotations": {_RESTORED_FROM: self.snapshot.backup}},
            "spec": spec,
        }


def _refuse_taken(objects: Objects, restored: Sequence[_Restored]) -> None:
    taken = [one.name for one in restored if objects.find(CLAIMS, one.name) is not None]
    if taken:
        raise PluginFailed(
            f"The claims {', '.join(taken)} are there already: delete them if nothing uses them, and retry"
        )


def _tell(
    context: PluginContext,
    restored: Sequence[_Restored],
    workload: Workload | None,
    swaps: Mapping[str, str],
) -> None:
    for one in restored:
        claim = one.snapshot.claim
        context.info(
            f"Would create the claim {one.name} ({one.size}, storage class "
            f"{claim.storage_class or 'default'}) of the snapshot {one.snapshot.name}"
        )
    if workload:
        context.info(workload.describe(swaps))
    context.info(f"Dry run: {len(restored)} claims to create; no claim would be changed or deleted")


def _create(
    context: PluginContext, objects: Objects, parameters: Parameters, restored: Sequence[_Restored]
) -> tuple[str, ...]:
    """Create the claims and wait until they are bound; answer those that wait for a pod to use them."""
    created: list[str] = []
    try:
        for one in restored:
            context.info(f"Creating the claim {one.name} ({one.size}) of the snapshot {one.snapshot.name}")
            objects.create(CLAIMS, one.body())
            created.append(one.name)
        patient = {one.name for one in restored if _waits_for_consumer(objects, one.snapshot)}
        bound = wait_for(
            context,
            parameters.bind_timeout,
            lambda: _bound(context, objects, [name for name in created if name not in patient]),
        )
        if bound is None:
            raise PluginFailed(
                f"Not bound after {parameters.bind_timeout} s: {', '.join(_waiting(objects, created))}. Look "
                "at the events of the claims, or give BindTimeoutSeconds more"
            )
    except BaseException:
        _undo(context, objects, created)
        raise
    return tuple(name for name in created if name in patient)


def _undo(context: PluginContext, objects: Objects, created: Sequence[str]) -> None:
    """Delete the new claims, which nothing has used."""
    for name in created:
        try:
            objects.delete(CLAIMS, name)
        except PluginFailed as error:
            context.warn(f"The new claim {name} is left: {error}")


def _bound(context: PluginContext, objects: Objects, names: Sequence[str]) -> bool | None:
    waiting = _waiting(objects, names)
    context.report(Report(done_files=len(names) - len(waiting), total_files=len(names), note="claims bound"))
    return None if waiting else True


def _waiting(objects: Objects, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the claims that are not bound. Raises PluginFailed for one that is lost."""
    waiting = []
    for name in names:
        phase = (objects.read(CLAIMS, name).get("status") or {}).get("phase")
        if phase == "Lost":
            raise PluginFailed(f"The cluster has lost the volume of the new claim {name}")
        if phase != "Bound":
            waiting.append(name)
    return tuple(waiting)


def _waits_for_consumer(objects: Objects, snapshot: Snapshot) -> bool:
    name = snapshot.claim.storage_class
    found = objects.find(STORAGE_CLASSES, name) if name else None
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"
