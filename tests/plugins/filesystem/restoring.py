"""Restores in tests: one call of the plugin, and backups made by hand that no plugin would make."""

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.plugins.filesystem.conftest import EPOCH, Storage
from workflows_app.domain.config import Config
from workflows_app.domain.results import Backup, Level, Result
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.filesystem.archive import ArchiveWriter
from workflows_app.plugins.filesystem.listing import list_backups
from workflows_app.plugins.filesystem.manifest import Footer, Header, ManifestWriter
from workflows_app.plugins.filesystem.members import Member, tar_header
from workflows_app.plugins.filesystem.output import OutputFile
from workflows_app.plugins.filesystem.restore import restore_backup

MTIME_NS = 1_600_000_000_000_000_001


@dataclass
class Restoring:
    """Restores from a storage, and what was said and reported by the last one."""

    storage: Storage
    said: list[tuple[Level, str]] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    on_line: Callable[[str], None] = lambda text: None
    cancelled: Callable[[], bool] = lambda: False

    def restore(
        self,
        number: int = 7,
        *,
        target: Path | str = "",
        dry_run: bool = False,
        backup: Backup | None = None,
        destination: Path | None = None,
        files: tuple[Path | str, ...] = (),
    ) -> Result:
        """Restore the backup of run ``number``, or ``files`` of it, as run 90."""
        self.said.clear()
        self.reports.clear()
        config = Config(profile_name="test", config_name="shop").for_run(90, "daily", EPOCH + 90, "restore")
        return restore_backup(
            PluginContext(
                config=config.model_copy(update={"backup": backup or self.backup(number)}),
                parameters={"BackupDestPath": str(destination or self.storage.destination)},
                say=self._say,
                report=self.reports.append,
                cancelled=lambda: self.cancelled(),
                restore=RestoreRequest(
                    target=str(target), dry_run=dry_run, files=tuple(quote(os.fsencode(f)) for f in files)
                ),
            )
        )

    def backup(self, number: int) -> Backup:
        """The backup of a run as a list has it; only named when there is none."""
        name = f"shop-daily-{number}-{EPOCH + number}"
        listed = list_backups(self.storage.destination, "test", "shop")
        return next((b for b in listed if b.name == name), Backup(name=name, workflow_id=str(number)))

    def lines(self, level: Level = Level.INFO) -> list[str]:
        return [text for said, text in self.said if said == level]

    def _say(self, level: Level, text: str) -> None:
        self.said.append((level, text))
        self.on_line(text)


def made(path: str, kind: str = "file", content: bytes = b"", link: str = "", mode: int = 0o644) -> Member:
    """A member as the manifest has it, owned by who runs the tests."""
    return Member(
        path=path,
        type=kind,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest() if kind == "file" else None,
        mode=mode,
        uid=os.geteuid(),
        gid=os.getegid(),
        uname="",
        gname="",
        mtime_ns=MTIME_NS,
        link=link,
    )


def make_backup(
    storage: Storage, members: Iterable[tuple[Member, bytes]], sources: tuple[str, ...] = (), number: int = 7
) -> None:
    """Write a backup that agrees with its manifest, whatever its members are."""
    archive, manifest = storage.archive(number), storage.manifest(number)
    archive.parent.mkdir(parents=True)
    name = archive.parent.name
    header = Header(name, "daily", str(number), EPOCH + number, sources or (str(storage.source),))
    files = size = 0
    with closing(OutputFile(archive)) as packed, closing(OutputFile(manifest)) as lines:
        tar, told = ArchiveWriter(packed, 1, 1), ManifestWriter(lines, header)
        for member, content in members:
            tar.write(tar_header(member))
            tar.write(content)
            tar.pad()
            told.add(member)
            files += member.type != "directory"
            size += member.size
        tar.finish()
        told.finish(Footer(archive.name, packed.size, packed.sha256, files, size))
