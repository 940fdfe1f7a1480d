"""What the tests of the filesystem plugin share: a storage to back up to, and one to try as somebody else."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.plugins.filesystem.trees import names_in
from workflows_app.domain.config import Config, Retention
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.filesystem.plugin import plugin

EPOCH = 1_700_000_000
NOBODY = 65534


class Storage:
    """A source and a destination, and the backups made from the one to the other."""

    def __init__(self, root: Path) -> None:
        self.source = root / "source"
        self.source.mkdir()
        self.destination = root / "destination"
        self.folder = self.destination / "test" / "shop"
        self.said: list[tuple[Level, str]] = []
        self.reports: list[Report] = []
        # What a test wants to happen when a line was said, and whenever the plugin looks whether to go on.
        self.on_line: Callable[[str], None] = lambda text: None
        self.cancelled: Callable[[], bool] = lambda: False

    def backup(
        self, number: int = 7, config: Config | None = None, policy: str = "daily", **parameters: str
    ) -> Result:
        """Make the backup of a run; ``parameters`` beside or instead of the two paths."""
        return plugin.backup(self.context(number, config, policy, **parameters))

    def retain(self, keep: int, number: int = 7, policy: str = "daily", **parameters: str) -> Result:
        """Do the retention of a run, whose policy keeps so many."""
        retention = Retention(policy=policy, retention_number=keep)
        config = Config(profile_name="test", config_name="shop", backup_retentions=(retention,))
        return plugin.backup_delete_workflow(self.context(number, config, policy, **parameters))

    def context(
        self, number: int = 7, config: Config | None = None, policy: str = "daily", **parameters: str
    ) -> PluginContext:
        """The context of a run's call, with nothing said so far."""
        self.said.clear()
        self.reports.clear()
        given = {"BackupSrcPaths": str(self.source), "BackupDestPath": str(self.destination), **parameters}
        config = config or Config(profile_name="test", config_name="shop")
        return PluginContext(
            config=config.for_run(number, policy, EPOCH + number),
            parameters=given,
            say=self._say,
            report=self.reports.append,
            cancelled=lambda: self.cancelled(),
        )

    def _say(self, level: Level, text: str) -> None:
        self.said.append((level, text))
        self.on_line(text)

    def lines(self, level: Level = Level.INFO) -> list[str]:
        return [text for said, text in self.said if said == level]

    def archive(self, number: int = 7) -> Path:
        name = f"shop-daily-{number}-{EPOCH + number}"
        return self.folder / name / f"{name}.tar.zst"

    def tree(self, number: int = 7) -> Path:
        """Where the source is in the tree of a run."""
        name = f"shop-daily-{number}-{EPOCH + number}"
        return self.folder / name / "tree" / str(self.source).lstrip("/")

    def manifest(self, number: int = 7) -> Path:
        name = f"shop-daily-{number}-{EPOCH + number}"
        return self.folder / name / f"{name}.manifest.jsonl"

    def kept(self) -> list[str]:
        """All that is at the destination, hidden or not, for this configuration."""
        return names_in(self.folder) if self.folder.exists() else []


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path)


@pytest.fixture
def open_storage() -> Iterator[Storage]:
    """A storage that every user of the machine may enter, which the folders of pytest do not let them."""
    root = Path(tempfile.mkdtemp(prefix="fossul-test-"))
    root.chmod(0o777)
    storage = Storage(root)
    storage.destination.mkdir()
    storage.destination.chmod(0o777)
    yield storage
    shutil.rmtree(root)


@contextmanager
def powerless() -> Iterator[None]:
    """Go on without the rights of root, for whom nothing is unreadable."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
