"""Pods whose image has BusyBox instead of GNU's programs, as Alpine's have."""

import os
import shutil
from pathlib import Path

import pytest

from tests.plugins.container_basic.conftest import PodStorage
from tests.plugins.filesystem.trees import Picture, everything, picture
from tests.plugins.kubernetes.api_server import PROTOCOLS
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level


@pytest.fixture
def small_pod(pod: PodStorage) -> PodStorage:
    """The pod with no other programs than BusyBox's."""
    busybox = shutil.which("busybox")
    assert busybox, "There is no busybox: requirements/install.sh busybox installs it"
    folder = pod.server.folder / "bin"
    folder.mkdir()
    for name in ("tar", "sh", "head", "find", "stat", "mkdir", "test"):
        (folder / name).symlink_to(busybox)
    pod.server.path = str(folder)
    return pod


def grow(root: Path) -> None:
    """Files with what BusyBox's tar keeps: no times below the second, nor those of links.

    It makes hard links last of all, which changes the times of their folders.
    """
    (root / "folder").mkdir()
    (root / "folder" / "big").write_bytes(os.urandom(2_000_003))
    (root / "empty folder").mkdir(mode=0o711)
    (root / ("long-" + "n" * 190)).write_text("long name")
    (root / os.fsdecode(b"not-\xff-utf8")).write_text("bytes")
    (root / "link").symlink_to("t" * 150)
    (root / "private").write_text("private")
    (root / "private").chmod(0o600)
    (root / "twins").mkdir()
    (root / "twins" / "twin").hardlink_to(root / "private")
    for path in [*everything(root), root]:
        os.utime(path, (1_600_000_000, 1_600_000_000), follow_symlinks=False)


def kept_of(found: dict[str, Picture]) -> dict[str, object]:
    return {
        name: (seen.mode, seen.uid, seen.gid, seen.content, seen.twin)
        + (() if name in ("link", "twins") else (seen.mtime_ns,))
        for name, seen in found.items()
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_files_come_back_as_they_were(small_pod: PodStorage, protocol: str) -> None:
    small_pod.server.protocols = (protocol,)
    grow(small_pod.source)
    before = picture(small_pod.source)
    backup = small_pod.backup().backup
    shutil.rmtree(small_pod.source)
    small_pod.restore(backup)
    assert kept_of(picture(small_pod.source)) == kept_of(before)
    assert small_pod.last.lines(Level.WARN) == []


def test_a_backup_of_gnus_tar_can_be_restored_by_busyboxs(
    pod: PodStorage, request: pytest.FixtureRequest
) -> None:
    grow(pod.source)
    before = picture(pod.source)
    backup = pod.backup().backup
    shutil.rmtree(pod.source)
    small: PodStorage = request.getfixturevalue("small_pod")
    small.restore(backup)
    assert kept_of(picture(pod.source)) == kept_of(before)


def test_a_dry_run_knows_what_is_there(small_pod: PodStorage) -> None:
    grow(small_pod.source)
    backup = small_pod.backup().backup
    (small_pod.source / "private").write_text("changed")
    small_pod.restore(backup, dryRun=True)
    assert small_pod.last.lines()[-1].startswith(f"Dry run of {backup.name}: 0 to create (0 B), ")


def test_a_path_that_is_not_there_is_no_backup(small_pod: PodStorage) -> None:
    with pytest.raises(PluginFailed, match="failed, command terminated with exit code 1"):
        small_pod.backup(BackupSrcPaths=f"{small_pod.source}/missing")
    assert small_pod.kept() == []
