"""Makes a backup: a snapshot of every claim, which count only when all of them are ready."""

from collections.abc import Sequence

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Backup, Result
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.csi.claims import Claim, find_claims
from workflows_app.plugins.csi.classes import snapshot_class_for
from workflows_app.plugins.csi.deleting import delete_snapshots
from workflows_app.plugins.csi.objects import SNAPSHOTS, Objects
from workflows_app.plugins.csi.parameters import Parameters
from workflows_app.plugins.csi.snapshots import (
    Snapshot,
    backups_of,
    complete_patch,
    handle_of,
    own_snapshots,
    snapshot_body,
)
from workflows_app.plugins.csi.waiting import wait_for
from workflows_app.plugins.kubernetes.client import connected
from workflows_app.plugins.storing.names import own_name


def make_backup(context: PluginContext) -> Result:
    """Snapshot every claim, wait until all are ready, and answer the backup in ``Result.backup``.

    Raises ConfigInvalid, PluginFailed, or Cancelled; then what was created is deleted again, or told.
    """
    parameters, name = Parameters.of(context), own_name(context)
    with connected(context) as cluster:
        objects = Objects(cluster)
        context.info("Performing CSI backup")
        _clear(context, objects, parameters)
        claims = find_claims(objects, parameters)
        classes = [snapshot_class_for(objects, parameters, claim) for claim in claims]
        created: list[str] = []
        try:
            for claim, chosen in zip(claims, classes, strict=True):
                created.append(_create(context, objects, parameters, name, claim, chosen, claims))
            ready = _wait(context, objects, parameters, created)
            backup = _complete(objects, parameters, name, ready)
        except BaseException:
            _undo(context, objects, created)
            raise
    context.info(f"Backup {name} completed: {len(claims)} snapshots are ready to use")
    return Result(backup=backup.model_copy(update={"timestamp": str(backup.epoch)}))


def _clear(context: PluginContext, objects: Objects, parameters: Parameters) -> None:
    """Delete the snapshots of a lost run that never became a backup; only one run is at work at a time."""
    left = [s for s in own_snapshots(objects, parameters) if not s.complete and not s.deleted]
    if left:
        context.warn(f"Deleting {len(left)} snapshots that never became a backup")
        delete_snapshots(objects, left)


def _create(
    context: PluginContext,
    objects: Objects,
    parameters: Parameters,
    backup: str,
    claim: Claim,
    chosen: str,
    claims: Sequence[Claim],
) -> str:
    body = snapshot_body(parameters, backup, claim, chosen, [one.name for one in claims])
    name = str(body["metadata"]["name"])
    context.info(
        f"Creating CSI snapshot [{name}] of pvc [{claim.name}] snapshot class [{chosen}] timeout "
        f"[{parameters.snapshot_timeout}]"
    )
    objects.create(SNAPSHOTS, body)
    return name


def _wait(
    context: PluginContext, objects: Objects, parameters: Parameters, names: Sequence[str]
) -> tuple[Snapshot, ...]:
    """The snapshots, once all are ready. Raises PluginFailed when one fails or they take too long."""
    latest: list[Snapshot] = []

    def look() -> tuple[Snapshot, ...] | None:
        latest[:] = [Snapshot(objects.read(SNAPSHOTS, name)) for name in names]
        for snapshot in latest:
            if snapshot.error:
                raise PluginFailed(f"The snapshot {snapshot.name} failed: {snapshot.error}")
        done = sum(snapshot.ready for snapshot in latest)
        context.report(Report(done_files=done, total_files=len(names), note="snapshots ready"))
        return tuple(latest) if done == len(names) else None

    ready = wait_for(context, parameters.snapshot_timeout, look)
    if ready is None:
        waiting = ", ".join(snapshot.name for snapshot in latest if not snapshot.ready)
        raise PluginFailed(
            f"Not ready to use after {parameters.snapshot_timeout} s: {waiting}. Look at the driver's "
            "snapshotter, or give SnapshotTimeoutSeconds more"
        )
    return ready


def _complete(objects: Objects, parameters: Parameters, name: str, ready: Sequence[Snapshot]) -> Backup:
    """Make a backup of the snapshots, and answer it as it is listed then."""
    handles = [handle_of(objects, snapshot) for snapshot in ready]
    for snapshot, handle in zip(ready, handles, strict=True):
        objects.patch(SNAPSHOTS, snapshot.name, complete_patch(handle))
    listed = [backup for backup in backups_of(own_snapshots(objects, parameters)) if backup.name == name]
    if not listed:
        raise PluginFailed(f"The snapshots of {name} are ready, but the cluster does not list them so")
    return listed[0]


def _undo(context: PluginContext, objects: Objects, names: Sequence[str]) -> None:
    """Delete what was created, also when the run is cancelled."""
    for name in names:
        try:
            objects.delete(SNAPSHOTS, name)
        except PluginFailed as error:
            context.warn(f"The snapshot {name} is left, and is no backup: {error}")
