"""Deletes the snapshots of a backup, so that no half of it is ever listed."""

from collections.abc import Sequence

from workflows_app.plugins.csi.objects import SNAPSHOTS, Objects
from workflows_app.plugins.csi.snapshots import COMPLETE, Snapshot


def delete_snapshots(objects: Objects, snapshots: Sequence[Snapshot]) -> None:
    """Delete snapshots that belong together.

    Raises PluginFailed; then all are there and good, or none is listed any more: the next run deletes them.
    """
    # The first one that is not complete makes the backup none.
    for snapshot in snapshots:
        objects.patch(SNAPSHOTS, snapshot.name, {"metadata": {"labels": {COMPLETE: "false"}}})
    for snapshot in snapshots:
        objects.delete(SNAPSHOTS, snapshot.name)
