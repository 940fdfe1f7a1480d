"""The backup that a run made, as the files that are to be archived."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.archiving.names import as_storage
from workflows_app.plugins.archiving.sums import ExpectedSums, Sums
from workflows_app.plugins.archiving.tree_sums import TreeSums
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.folder import backups_folder
from workflows_app.plugins.filesystem.layout import TREE
from workflows_app.plugins.filesystem.manifest import MANIFEST_SUFFIX, ManifestBroken, read_ends
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.filesystem.tree_verify import verify_tree
from workflows_app.plugins.storing.names import own_name
from workflows_app.plugins.wording import reason_of, shown


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A file or folder of a backup; ``path`` is relative to the backup's folder, ``size`` 0 for folders."""

    path: str
    full: Path
    size: int
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A complete backup on disk. ``expected`` knows what its manifest says of files.

    It is asked in the order of ``entries``.
    """

    name: str
    policy: str
    workflow_id: str
    epoch: int
    folder: Path
    expected: ExpectedSums

    @classmethod
    def of(cls, context: PluginContext) -> "Source":
        """The run's own backup, ``<BackupDestPath>/<profile>/<config>/<backup name>`` (§7.7).

        Raises ConfigInvalid, and PluginFailed when it is not there or its manifest is broken, or when files
        of a tree are not those that the manifest tells of.
        """
        storage = as_storage(context)
        place, name = Place.of(storage), own_name(storage)
        folder = backups_folder(place.destination, place.profile, place.config) / name
        if folder.is_symlink() or not folder.is_dir():
            raise PluginFailed(
                f"There is no backup {shown(str(folder))} to archive: an archive plugin needs a storage "
                "plugin that keeps its backups as files below BackupDestPath, on this worker"
            )
        return cls(
            name=name,
            policy=context.config.selected_backup_policy,
            workflow_id=context.config.workflow_id,
            epoch=context.config.workflow_timestamp,
            folder=folder,
            expected=_expected(folder, name, context.check_cancelled),
        )

    def entries(self) -> Iterator[SourceEntry]:
        """Yield the folders and files, sorted, each folder before what is in it.

        Raises PluginFailed for anything else, a symbolic link above all, and for what cannot be read.
        """
        return self._below(self.folder, "")

    def measure(self, check_cancelled: Callable[[], None]) -> tuple[int, int]:
        """How many bytes and files there are. Raises as ``entries``, and what ``check_cancelled`` raises."""
        size = files = 0
        for entry in self.entries():
            check_cancelled()
            size += entry.size
            files += not entry.is_folder
        return size, files

    def hold_against_manifest(self, path: str, found: Sums) -> None:
        """Compare what was read of a file with the manifest. Raises PluginFailed when they differ."""
        expected = self.expected.get(path)
        if expected is not None and expected != found:
            raise PluginFailed(
                f"{shown(str(self.folder / path))} has {found.size} bytes and SHA-256 {found.sha256} instead "
                f"of {expected.size} bytes and SHA-256 {expected.sha256}, which its manifest says: the "
                "backup is damaged and is not archived. Check the disk, and run the backup again"
            )

    def _below(self, folder: Path, inner: str) -> Iterator[SourceEntry]:
        try:
            names = sorted(entry.name for entry in os.scandir(folder))
        except OSError as error:
            raise cannot_read(folder, error) from error
        for name in names:
            full, path = folder / name, f"{inner}{name}"
            try:
                status = full.lstat()
            except OSError as error:
                raise cannot_read(full, error) from error
            if stat.S_ISDIR(status.st_mode):
                yield SourceEntry(path, full, 0, is_folder=True)
                yield from self._below(full, f"{path}/")
            elif stat.S_ISREG(status.st_mode):
                yield SourceEntry(path, full, status.st_size, is_folder=False)
            else:
                raise PluginFailed(
                    f"{shown(str(full))} is neither a file nor a folder and cannot be archived: use a "
                    "storage plugin that packs a backup into one file, such as filesystem"
                )


def cannot_read(path: Path, error: OSError) -> PluginFailed:
    """The words for a file of the backup that cannot be read."""
    return PluginFailed(
        f"Cannot read {shown(str(path))}, which is to be archived: {reason_of(error)}. The worker's user is "
        f"uid {os.geteuid()}"
    )


def _expected(folder: Path, name: str, check_cancelled: Callable[[], None]) -> ExpectedSums:
    """What the manifest of the storage plugin ``filesystem`` says; nothing where there is none."""
    manifest = folder / f"{name}{MANIFEST_SUFFIX}"
    try:
        header, footer = read_ends(manifest)
    except FileNotFoundError:
        return {}
    except ManifestBroken as error:
        raise _broken(manifest, str(error)) from None
    except OSError as error:
        raise cannot_read(manifest, error) from error
    if header.name != name:
        raise _broken(manifest, f"it tells of {header.name!r}")
    if not header.is_tree:
        return {footer.file: Sums(footer.size, footer.sha256)}
    # What is missing would be missed by nobody later: the archive has what lies there.
    verify_tree(folder / TREE, manifest, lambda size, files: check_cancelled(), lambda member, kept: False)
    return TreeSums(manifest)


def _broken(manifest: Path, why: str) -> PluginFailed:
    return PluginFailed(f"The manifest {shown(str(manifest))} is broken and nothing was archived: {why}")
