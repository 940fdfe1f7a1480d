"""What the tests of the plugin ``restic`` share: a source, a repository, and what goes between them."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.cancelling import CancelSwitch
from workflows_app.domain.config import Config, Retention
from workflows_app.domain.results import Backup, Level, Result
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.restic.plugin import plugin

EPOCH = 1_700_000_000
PASSWORD = "the-password-of-the-repository"


class Repository:
    """A source and a repository, and the backups made from the one to the other."""

    def __init__(self, root: Path) -> None:
        assert shutil.which("restic"), "the package restic is not installed"
        self.root = root
        self.source = root / "source"
        self.source.mkdir()
        self.folder = root / "repository"
        self.given: dict[str, str] = {
            "Repository": str(self.folder),
            "Password": PASSWORD,
            "BackupSrcPaths": str(self.source),
            "LockWait": "1",
        }
        self.said: list[tuple[Level, str]] = []
        self.reports: list[Report] = []
        self.held: frozenset[str] = frozenset()
        self.on_line: Callable[[str], None] = lambda text: None
        self._switch = CancelSwitch()

    def backup(self, number: int = 7, policy: str = "daily", **given: str) -> Result:
        self.said.clear()
        return plugin.backup(self.context(number, policy, **given))

    def backups(self) -> tuple[Backup, ...]:
        return plugin.backup_list(self.context())

    def names(self) -> list[str]:
        return [backup.name for backup in self.backups()]

    def retain(self, keep: int, number: int = 7, rules: KeepRules | None = None, **given: str) -> Result:
        retention = Retention(policy="daily", retention_number=keep, keep_rules=rules or NO_RULES)
        config = Config(profile_name="test", config_name="shop", backup_retentions=(retention,))
        return plugin.backup_delete_workflow(self.context(number, config=config, **given))

    def restore(self, target: Path | None, number: int = 7, **asked: object) -> Result:
        self.said.clear()
        return plugin.restore(self.restoring(target, number, **asked))

    def restoring(self, target: Path | None, number: int = 7, **asked: object) -> PluginContext:
        chosen = next(backup for backup in self.backups() if backup.workflow_id == str(number))
        request = RestoreRequest(target=str(target) if target else "", **asked)
        return replace(self.of(chosen), restore=request)

    def of(self, backup: Backup) -> PluginContext:
        """The context of a call about one backup."""
        context = self.context(90)
        return replace(context, config=context.config.model_copy(update={"backup": backup}))

    def context(
        self, number: int = 7, policy: str = "daily", config: Config | None = None, **given: str
    ) -> PluginContext:
        config = config or Config(profile_name="test", config_name="shop")
        return PluginContext(
            config=config.for_run(number, policy, EPOCH + number),
            parameters=self.given | given,
            say=self._say,
            report=self.reports.append,
            cancelled=self._switch.cancelled,
            on_cancel=self._switch.on_cancel,
            environment={"PATH": os.environ["PATH"], "HOME": str(self.root)},
            held=lambda: self.held,
        )

    def restic(self, *arguments: str, **environment: str) -> str:
        """What a restic of the test's own answers."""
        known = {"PATH": os.environ["PATH"], "HOME": str(self.root), "RESTIC_PASSWORD": PASSWORD}
        known["RESTIC_REPOSITORY"] = self.given["Repository"]
        return subprocess.run(
            ["restic", *arguments], env=known | environment, check=True, capture_output=True, text=True
        ).stdout

    def locks(self) -> list[str]:
        return self.restic("list", "locks", "--no-lock").split()

    @contextmanager
    def another_restic(self) -> Iterator["subprocess.Popen[bytes]"]:
        """A restic of somebody else, at work on the same repository, with a lock of its own."""
        known = {"PATH": os.environ["PATH"], "HOME": str(self.root), "RESTIC_PASSWORD": PASSWORD}
        known["RESTIC_REPOSITORY"] = self.given["Repository"]
        with subprocess.Popen(["restic", "backup", "--stdin"], env=known, stdin=subprocess.PIPE) as other:
            try:
                give_up = time.monotonic() + 20
                while not self.locks():
                    assert time.monotonic() < give_up, "the other restic takes no lock"
                yield other
            finally:
                other.kill()

    def cancel(self) -> None:
        self._switch.cancel()

    def go_on(self) -> None:
        self._switch.take_back()

    def lines(self, level: Level = Level.INFO) -> list[str]:
        return [text for said, text in self.said if said == level]

    def _say(self, level: Level, text: str) -> None:
        self.said.append((level, text))
        self.on_line(text)


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository, to be copied: making one takes restic seconds."""
    folder = tmp_path_factory.mktemp("restic") / "empty"
    environment = {"PATH": os.environ["PATH"], "RESTIC_PASSWORD": PASSWORD, "HOME": str(folder.parent)}
    subprocess.run(["restic", "init", "--repo", folder], env=environment, check=True, capture_output=True)
    return folder


@pytest.fixture
def nowhere(tmp_path: Path) -> Iterator[Repository]:
    """A repository that is still to be created."""
    found = Repository(tmp_path)
    yield found
    assert not any(PASSWORD in text for _, text in found.said)


@pytest.fixture
def repository(nowhere: Repository, initialised: Path) -> Repository:
    """An empty repository."""
    shutil.copytree(initialised, nowhere.folder)
    return nowhere
