"""Verifies a backup as far as a cluster can tell: the snapshots are there, ready, and the same."""

from collections.abc import Sequence

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.csi.objects import Objects
from workflows_app.plugins.csi.parameters import Parameters
from workflows_app.plugins.csi.snapshots import Snapshot, find_backup, handle_of
from workflows_app.plugins.kubernetes.client import connected


def verify_backup(context: PluginContext) -> Result:
    """Hold the snapshots of ``context.config.backup`` against what they were when the backup was made.

    That proves that the driver still has each and calls it ready, not that its data can be read: only a
    restore to a new claim does. Raises PluginFailed for what is missing, not ready, or another one.
    """
    parameters = Parameters.of(context)
    with connected(context) as cluster:
        objects = Objects(cluster)
        found = find_backup(objects, parameters, context.config.backup)
        refuse_unusable(objects, found)
    context.info(
        f"Backup {context.config.backup.name} verified: {len(found)} snapshots are there, ready to use, and "
        "the same. Their data was not read"
    )
    return Result()


def refuse_unusable(objects: Objects, snapshots: Sequence[Snapshot]) -> None:
    """Raise PluginFailed unless these are all snapshots of a backup, each ready and the one that was made."""
    missing = snapshots[0].claims - {snapshot.claim.name for snapshot in snapshots}
    if missing:
        raise PluginFailed(f"The snapshots of the claims {', '.join(sorted(missing))} are gone")
    for snapshot in snapshots:
        if snapshot.error:
            raise PluginFailed(f"The snapshot {snapshot.name} has an error: {snapshot.error}")
        if not snapshot.complete or not snapshot.ready:
            raise PluginFailed(f"The snapshot {snapshot.name} is not ready to use")
        if (handle := handle_of(objects, snapshot)) != snapshot.handle:
            raise PluginFailed(
                f"The snapshot {snapshot.name} is another one than was made: the driver calls it {handle}, "
                f"it was {snapshot.handle}"
            )
