"""The snapshots in a repository that are backups of a configuration, by their tags.

A snapshot has three tags of ours: whose it is, the backup's name, and its size. Until it was proven it has
another one in place of the name, so that no half of a backup is ever listed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.naming import parse_backup_name
from workflows_app.domain.results import Backup, Content
from workflows_app.plugins.restic.parameters import Parameters
from workflows_app.plugins.restic.program import Restic

_OWNER = "fossul:"
_NAME = "fossul-backup:"
_UNPROVEN = "fossul-unproven:"
_SIZE = "fossul-size:"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot: its whole id, what it was made of, and its tags."""

    id: str
    paths: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def name(self) -> str:
        """The full name of the backup that it is; empty for one that was never proven."""
        return _tagged(self.tags, _NAME)

    @property
    def unproven(self) -> bool:
        """Whether it says itself that it never became a backup."""
        return not self.name and bool(_tagged(self.tags, _UNPROVEN))

    @property
    def backup(self) -> Backup | None:
        """The backup that it is; None when it is none."""
        found = parse_backup_name(self.name)
        if found is None:
            return None
        size = _tagged(self.tags, _SIZE)
        held = tuple(
            Content(type="filesystem", source=path, data=self.id[:16], size=size) for path in self.paths
        )
        return found.model_copy(update={"contents": held})


def owner_tag(parameters: Parameters) -> str:
    """The tag of all snapshots of a configuration."""
    return f"{_OWNER}{parameters.profile}/{parameters.config}"


def unproven_tag(name: str) -> str:
    """The tag of a snapshot that is to become the backup ``name``."""
    return f"{_UNPROVEN}{name}"


def proven_tags(name: str, size: int) -> tuple[str, str]:
    """The tags of a snapshot that is the backup ``name``, of ``size`` bytes."""
    return f"{_NAME}{name}", f"{_SIZE}{size}"


def own_snapshots(restic: Restic, parameters: Parameters) -> tuple[Snapshot, ...]:
    """Every snapshot of the configuration, proven or not. Raises PluginFailed when they cannot be read."""
    answer = restic.ask("snapshots", f"--tag={owner_tag(parameters)}")
    if answer is None:
        return ()
    try:
        return tuple(_snapshot(found) for found in answer)
    except (AttributeError, KeyError, TypeError) as error:
        raise PluginFailed(f"restic tells of its snapshots in an unknown form ({error!r})") from None


def backups_of(snapshots: Sequence[Snapshot]) -> tuple[Backup, ...]:
    """The backups among ``snapshots``, the oldest first."""
    found = [snapshot.backup for snapshot in snapshots]
    return tuple(sorted((b for b in found if b is not None), key=lambda b: (b.epoch, b.name)))


def find_snapshot(restic: Restic, parameters: Parameters, backup: Backup) -> Snapshot:
    """The snapshot of exactly that backup. Raises PluginFailed when there is none, or more than one."""
    found = [
        snapshot
        for snapshot in own_snapshots(restic, parameters)
        if backup.name and snapshot.name == backup.name
    ]
    if not found:
        # Fossul's words (§7.3), then ours.
        raise PluginFailed(
            f"Restore data no longer available for workflow id [{backup.workflow_id}], check retention "
            f"policy: there is no backup {backup.name!r} in the repository {parameters.repository}"
        )
    if len(found) > 1:
        ids = ", ".join(snapshot.id[:8] for snapshot in found)
        raise PluginFailed(f"There are {len(found)} snapshots of the name {backup.name!r}: {ids}. Forget one")
    return found[0]


def _snapshot(found: dict[str, Any]) -> Snapshot:
    return Snapshot(str(found["id"]), tuple(found["paths"]), tuple(found.get("tags") or ()))


def _tagged(tags: tuple[str, ...], prefix: str) -> str:
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), "")
