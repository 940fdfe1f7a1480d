"""What the tests of plugins share: a call's context that remembers, and scripts to run."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plugins.cancelling import CancelSwitch
from tests.plugins.databases.pods import running_pod
from tests.plugins.kubernetes.api_server import ApiServer
from workflows_app.domain.config import Config
from workflows_app.domain.results import Level
from workflows_app.plugins.base import PluginContext

MountDisk = Callable[..., Path]
"""Mounts an empty disk of a size, in a new folder or ``at`` one, and answers where."""


class Call:
    """One call of a plugin, which remembers what was said and can be cancelled."""

    def __init__(self, config: Config | None = None) -> None:
        self.said: list[tuple[Level, str]] = []
        self._switch = CancelSwitch()
        self.stops = self._switch.stops
        self.context = PluginContext(
            config=config or Config(),
            parameters={},
            say=lambda level, text: self.said.append((level, text)),
            cancelled=self._switch.cancelled,
            on_cancel=self._switch.on_cancel,
            environment={"PATH": os.environ["PATH"]},
        )

    def cancel(self) -> None:
        self._switch.cancel()


@pytest.fixture
def call() -> Call:
    return Call()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user of the machine may enter, which the folders of pytest do not let them."""
    folder = Path(tempfile.mkdtemp(prefix="fossul-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[ApiServer]:
    """A pod for a database's programs, in a stand-in cluster."""
    with running_pod(tmp_path / "cluster") as running:
        yield running


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write a Python script and answer the argument list that runs it."""

    def write(source: str) -> list[str]:
        path = tmp_path / f"script{len(list(tmp_path.iterdir()))}.py"
        path.write_text(source)
        return [sys.executable, "-I", "-S", str(path)]

    return write


@pytest.fixture
def mount_disk(tmp_path: Path) -> Iterator[MountDisk]:
    """Mount filesystems of a size such as ``4m``, each in a folder of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disks: list[Path] = []

    def mount(size: str, at: Path | None = None) -> Path:
        disk = at or tmp_path / f"disk{len(disks) or ''}"
        disk.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
        mounted = subprocess.run(command, capture_output=True, text=True)
        if mounted.returncode:
            pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
        disks.append(disk)
        return disk

    yield mount
    for disk in reversed(disks):
        subprocess.run(["umount", disk], check=True)
