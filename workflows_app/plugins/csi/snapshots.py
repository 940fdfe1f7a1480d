"""The VolumeSnapshots that are backups of a configuration, by the labels and annotations they were given.

A backup is the snapshots of all its claims. They are labelled complete, each with what the driver calls it,
only when all of them were ready: what has no such label is no backup.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.naming import parse_backup_name
from workflows_app.domain.results import Backup, Content
from workflows_app.plugins.csi.claims import Claim
from workflows_app.plugins.csi.objects import SNAPSHOT_CONTENTS, SNAPSHOTS, Object, Objects
from workflows_app.plugins.csi.parameters import Parameters
from workflows_app.plugins.csi.quantities import bytes_of

OWNER = "fossul.io/owner"
COMPLETE = "fossul.io/complete"
_BACKUP = "fossul.io/backup"
_CLAIMS = "fossul.io/claims"
_HANDLE = "fossul.io/handle"
_SIZE = "fossul.io/size"
_CLASS = "fossul.io/storage-class"
_MODES = "fossul.io/access-modes"
_VOLUME_MODE = "fossul.io/volume-mode"
_OBJECT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_LONGEST = 253


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One VolumeSnapshot of ours, as the cluster has it."""

    found: Object

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return str(self.found["metadata"]["name"])

    @property
    def backup(self) -> str:
        """The full name of the backup that it belongs to."""
        return self._note(_BACKUP)

    @property
    def claim(self) -> Claim:
        """The claim that it was made of, as that was then; its driver is not kept."""
        return Claim(
            name=str(self.found["spec"]["source"].get("persistentVolumeClaimName", "")),
            size=self._note(_SIZE),
            storage_class=self._note(_CLASS),
            access_modes=tuple(self._note(_MODES).split(",")),
            volume_mode=self._note(_VOLUME_MODE),
            driver="",
        )

    @property
    def claims(self) -> frozenset[str]:
        """The names of all claims of its backup."""
        return frozenset(self._note(_CLAIMS).split(","))

    @property
    def snapshot_class(self) -> str:
        """Its VolumeSnapshotClass."""
        return str(self.found["spec"].get("volumeSnapshotClassName") or "")

    @property
    def handle(self) -> str:
        """What the driver called it when the backup was made."""
        return self._note(_HANDLE)

    @property
    def error(self) -> str:
        """What went wrong with it, in the driver's words; empty when nothing did."""
        return str(((self._status().get("error")) or {}).get("message") or "")

    @property
    def ready(self) -> bool:
        """Whether a claim can be restored from it now."""
        return bool(self._status().get("readyToUse")) and not self.error and not self.deleted

    @property
    def deleted(self) -> bool:
        """Whether it is on its way out."""
        return "deletionTimestamp" in self.found["metadata"]

    @property
    def complete(self) -> bool:
        """Whether all snapshots of its backup were ready once."""
        return bool((self.found["metadata"].get("labels") or {}).get(COMPLETE) == "true")

    @property
    def restore_size(self) -> str:
        """How large a claim from it must be at least (``10Gi``); empty where the driver does not say."""
        return str(self._status().get("restoreSize") or "")

    @property
    def content(self) -> str:
        """The VolumeSnapshotContent that it is bound to; empty while there is none."""
        return str(self._status().get("boundVolumeSnapshotContentName") or "")

    def _status(self) -> Object:
        return self.found.get("status") or {}

    def _note(self, name: str) -> str:
        return str((self.found["metadata"].get("annotations") or {}).get(name, ""))


def own_snapshots(objects: Objects, parameters: Parameters) -> tuple[Snapshot, ...]:
    """Every snapshot of the configuration. Raises PluginFailed when they cannot be read."""
    return tuple(Snapshot(found) for found in objects.list(SNAPSHOTS, f"{OWNER}={owner_label(parameters)}"))


def grouped(snapshots: Sequence[Snapshot]) -> dict[str, tuple[Snapshot, ...]]:
    """The snapshots of each backup, by the backup's name."""
    groups: dict[str, list[Snapshot]] = {}
    for snapshot in snapshots:
        groups.setdefault(snapshot.backup, []).append(snapshot)
    return {name: tuple(sorted(found, key=lambda s: s.claim.name)) for name, found in groups.items()}


def is_good(snapshots: Sequence[Snapshot]) -> bool:
    """Whether these snapshots are a whole backup that can be restored now."""
    claims = {snapshot.claim.name for snapshot in snapshots}
    return all(s.complete and s.ready and s.claims == claims for s in snapshots)


def backups_of(snapshots: Sequence[Snapshot]) -> tuple[Backup, ...]:
    """The good backups, the oldest first."""
    backups = [_backup(name, found) for name, found in grouped(snapshots).items() if is_good(found)]
    return tuple(sorted((b for b in backups if b is not None), key=lambda b: (b.epoch, b.name)))


def find_backup(objects: Objects, parameters: Parameters, backup: Backup) -> tuple[Snapshot, ...]:
    """The snapshots of exactly that backup, good or not. Raises PluginFailed when there are none."""
    found = grouped(own_snapshots(objects, parameters)).get(backup.name, ())
    if not backup.name or not found:
        # Fossul's words (§7.3), then ours.
        raise PluginFailed(
            f"Restore data no longer available for workflow id [{backup.workflow_id}], check retention "
            f"policy: there are no snapshots of the backup {backup.name!r}"
        )
    return found


def owner_label(parameters: Parameters) -> str:
    """The label of all snapshots of a configuration: a label's value has no room for every name."""
    return hashlib.sha256(f"{parameters.profile}/{parameters.config}".encode()).hexdigest()[:40]


def snapshot_body(
    parameters: Parameters, backup: str, claim: Claim, snapshot_class: str, claims: Sequence[str]
) -> Object:
    """The VolumeSnapshot to create of a claim."""
    return {
        "apiVersion": SNAPSHOTS.api_version,
        "kind": "VolumeSnapshot",
        "metadata": {
            "name": _object_name(backup, claim.name),
            "labels": {OWNER: owner_label(parameters), COMPLETE: "false"},
            "annotations": {
                _BACKUP: backup,
                _CLAIMS: ",".join(claims),
                _SIZE: claim.size,
                _CLASS: claim.storage_class,
                _MODES: ",".join(claim.access_modes),
                _VOLUME_MODE: claim.volume_mode,
            },
        },
        "spec": {
            "volumeSnapshotClassName": snapshot_class,
            "source": {"persistentVolumeClaimName": claim.name},
        },
    }


def complete_patch(handle: str) -> Object:
    """What makes a snapshot part of a backup."""
    return {"metadata": {"labels": {COMPLETE: "true"}, "annotations": {_HANDLE: handle}}}


def handle_of(objects: Objects, snapshot: Snapshot) -> str:
    """What the driver calls a snapshot now. Raises PluginFailed when it is bound to no usable content."""
    if not snapshot.content:
        raise PluginFailed(f"The snapshot {snapshot.name} is bound to no content")
    content: Any = objects.read(SNAPSHOT_CONTENTS, snapshot.content)
    status = content.get("status") or {}
    if error := (status.get("error") or {}).get("message"):
        raise PluginFailed(f"The content of the snapshot {snapshot.name} has an error: {error}")
    if not status.get("readyToUse") or not status.get("snapshotHandle"):
        raise PluginFailed(f"The content of the snapshot {snapshot.name} is not ready to use")
    return str(status["snapshotHandle"])


def _object_name(backup: str, claim: str) -> str:
    """``<backup name>-<claim>`` as in Fossul (§7.3), or what a cluster takes in its place."""
    name = f"{backup}-{claim}"
    if len(name) <= _LONGEST and _OBJECT_NAME.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    plain = re.sub(r"[^a-z0-9.-]", "-", name.lower()).strip("-.")
    return f"{plain[: _LONGEST - len(digest) - 1].rstrip('-.')}-{digest}".lstrip("-")


def _backup(name: str, snapshots: Sequence[Snapshot]) -> Backup | None:
    found = parse_backup_name(name)
    if found is None:
        return None
    held = tuple(
        Content(
            type="volume",
            source=snapshot.claim.name,
            data=snapshot.name,
            size=_size(snapshot),
            storage_class=snapshot.claim.storage_class,
            volume_snapshot_class=snapshot.snapshot_class,
        )
        for snapshot in snapshots
    )
    return found.model_copy(update={"contents": held})


def _size(snapshot: Snapshot) -> str:
    size = bytes_of(snapshot.restore_size)
    return str(size) if size is not None else ""
