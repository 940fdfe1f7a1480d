"""One backup as it is kept: where its files are, and its members, none of which leads out of its sources."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Backup
from workflows_app.plugins.filesystem.chosen import Chosen
from workflows_app.plugins.filesystem.folder import backups_folder
from workflows_app.plugins.filesystem.listing import content_path, contents
from workflows_app.plugins.filesystem.manifest import (
    MANIFEST_SUFFIX,
    Footer,
    ManifestBroken,
    ManifestReader,
    read_ends,
)
from workflows_app.plugins.filesystem.members import HARD_LINK, Member, archived_path
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.wording import reason_of, shown

_NO_NAMES = frozenset(("", ".", ".."))


@dataclass(frozen=True, slots=True)
class Stored:
    """A complete backup. ``sources`` are the absolute paths that it was made of, in the archive's order.

    ``archive`` is the folder of the files when it ``is_tree``. With ``chosen``, it is what was chosen of the
    backup, and ``footer`` counts that.
    """

    name: str
    archive: Path
    manifest: Path
    sources: tuple[str, ...]
    footer: Footer
    is_tree: bool = False
    chosen: Chosen | None = None

    @property
    def roots(self) -> tuple[str, ...]:
        """The absolute paths at and below which there is something to restore."""
        if self.chosen is None:
            return self.sources
        return tuple(f"/{path}" for path in sorted(self.chosen.paths))

    @property
    def grounds(self) -> tuple[str, ...]:
        """The absolute paths that were real when the backup was made and must not lead elsewhere now.

        They are the sources, or the folders of what was chosen in them.
        """
        return tuple(
            dict.fromkeys(root if root in self.sources else root.rpartition("/")[0] for root in self.roots)
        )

    def choose(self, keys: tuple[str, ...], check_cancelled: Callable[[], None]) -> "Stored":
        """What the ``keys`` choose of this backup; all of it when there are none. Raises as ``Chosen.of``."""
        if not keys:
            return self
        part = replace(self, chosen=Chosen.of(keys, self.every_member, check_cancelled))
        files = size = 0
        for member in part.members():
            check_cancelled()
            files += member.type != "directory"
            size += member.size
        return replace(part, footer=replace(self.footer, files=files, bytes=size))

    def members(self) -> Iterator[Member]:
        """Yield what is to be restored, in the archive's order. Raises as ``every_member``."""
        for member in self.every_member():
            wanted = member if self.chosen is None else self.chosen.wanted(member)
            if wanted is not None:
                yield wanted

    def every_member(self) -> Iterator[Member]:
        """Yield the members in the archive's order.

        Raises PluginFailed at the first one that is not at or below a source or whose name is none, and
        when the manifest is broken.
        """
        try:
            with self.manifest.open("rb") as lines:
                roots = tuple(archived_path(source) for source in self.sources)
                below = tuple(f"{root}/" for root in roots)
                for member in ManifestReader(lines).members():
                    paths = (member.path, member.link) if member.type == HARD_LINK else (member.path,)
                    for path in paths:
                        if not (_is_safe(path) and (path.startswith(below) or path in roots)):
                            raise self._tampered(path)
                    yield member
        except ManifestBroken as error:
            raise _broken(self.name, str(error)) from None
        except OSError as error:
            raise _broken(self.name, reason_of(error)) from error

    def source_of(self, member: Member) -> str:
        """Which of ``roots`` a member to restore belongs to."""
        if self.chosen is not None:
            return f"/{self.chosen.root_of(member.path)}"
        return next(root for root in self.sources if _is_at_or_below(member.path, archived_path(root)))

    def _tampered(self, path: str) -> PluginFailed:
        return PluginFailed(
            f"The backup {shown(self.name)} holds {path!r}, which does not lie in what was backed up "
            "(or is no path at all): it was tampered with, and nothing of it is restored"
        )


def find_backup(place: Place, backup: Backup) -> Stored:
    """The backup of exactly that name. Raises PluginFailed when it is not there or is another one."""
    folder = backups_folder(place.destination, place.profile, place.config)
    name = backup.name
    if not place.destination.is_dir():
        raise PluginFailed(
            f"The destination {shown(str(place.destination))} does not exist: check BackupDestPath and that "
            "its disk is mounted on this worker"
        )
    if not _is_safe(name) or "/" in name or name.startswith("."):
        raise _unavailable(backup, folder)
    manifest = folder / name / f"{name}{MANIFEST_SUFFIX}"
    try:
        if (folder / name).is_symlink():
            raise _unavailable(backup, folder)
        header, footer = read_ends(manifest)
        archive = content_path(folder, name, header)
        archive.stat()
    except FileNotFoundError:
        raise _unavailable(backup, folder) from None
    except ManifestBroken as error:
        raise _broken(name, str(error)) from None
    except OSError as error:
        raise _broken(name, reason_of(error)) from error
    if header.name != name:
        raise _broken(name, f"it tells of {header.name!r}")
    if not header.sources or not all(s.startswith("/") and _is_safe(s[1:]) for s in header.sources):
        raise _broken(name, "its sources are no absolute paths")
    kept = {content.source for content in contents(header.sources, footer.file, footer.size)}
    chosen = {content.source for content in backup.contents}
    if chosen and chosen != kept:
        raise PluginFailed(
            f"The backup {shown(name)} holds {', '.join(sorted(kept))} instead of "
            f"{', '.join(sorted(chosen))}, for which it was chosen: look at the backup again"
        )
    return Stored(name, archive, manifest, header.sources, footer, header.is_tree)


def _unavailable(backup: Backup, folder: Path) -> PluginFailed:
    # Fossul's words (§7.3), then ours.
    return PluginFailed(
        f"Restore data no longer available for workflow id [{backup.workflow_id}], check retention policy: "
        f"there is no complete backup {backup.name!r} in {shown(str(folder))}"
    )


def _broken(name: str, why: str) -> PluginFailed:
    return PluginFailed(
        f"The manifest of backup {shown(name)} cannot be used: {why}. Nothing more is restored from it; "
        "choose another backup"
    )


def _is_safe(path: str) -> bool:
    """Whether it is a relative path without ``.``, ``..``, empty parts or what no file name can have."""
    if not isinstance(path, str) or "\0" in path or not _NO_NAMES.isdisjoint(path.split("/")):
        return False
    if path.isascii():
        return True
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def _is_at_or_below(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}/")
