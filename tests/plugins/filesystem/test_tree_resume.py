"""A run that was interrupted left something, and the next one goes on from there."""

import os
import signal
from pathlib import Path

import pytest

from tests.plugins.conftest import MountDisk
from tests.plugins.filesystem.conftest import EPOCH, Storage
from tests.plugins.filesystem.saving import inode, restored, tree, verify
from tests.plugins.filesystem.trees import MiB, names_in, picture
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.filesystem.plugin import plugin

NAME = f"shop-daily-7-{EPOCH + 7}"


def fill(source: Path, count: int = 6) -> None:
    for number in range(count):
        (source / f"{number:02}").write_bytes(os.urandom(2 * MiB))


def killed_after(storage: Storage, files: int) -> int:
    """Make a tree in a process of its own, which dies when it has copied so many files or a few more.

    Answers how many can be taken over.
    """
    child = os.fork()
    if child == 0:
        storage.cancelled = lambda: (
            storage.reports[-1].note == "copying" and copied(storage) >= files and die()
        )
        try:
            storage.backup(7, Format="tree")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    return copied(storage)


def summary(storage: Storage) -> str:
    """What was said of how many files were copied and shared."""
    return next(line for line in storage.lines() if " did not change and were there" in line)


def copied(storage: Storage) -> int:
    """How many files are complete in any partial backup, and known to be."""
    manifests = storage.folder.glob(".*.partial/*.jsonl")
    return max((text.read_text().count('"type":"file"') for text in manifests), default=0)


def die() -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return True


def partials(storage: Storage) -> list[str]:
    return [name for name in storage.kept() if name.startswith(".")]


def test_after_a_kill_the_same_run_takes_over_what_is_complete(storage: Storage, tmp_path: Path) -> None:
    fill(storage.source)
    files = killed_after(storage, 3)
    assert storage.kept() == [f".{NAME}.partial"]
    assert plugin.backup_list(storage.context()) == ()
    taken = inode(storage.folder / f".{NAME}.partial" / "tree" / str(storage.source).lstrip("/") / "00")
    tree(storage)
    assert inode(storage.tree() / "00") == taken
    assert storage.lines()[2].startswith(f"Going on from {storage.folder}/.{NAME}.partial, ")
    assert summary(storage).startswith(f"Copied {6 - files} file")
    assert f"; {files} files, {2 * files}.0 MiB did not change" in summary(storage)
    assert storage.kept() == [NAME]
    assert restored(storage, 7, tmp_path / "out") == picture(storage.source)


def test_another_run_takes_over_too_and_what_changed_since_is_copied(storage: Storage) -> None:
    fill(storage.source)
    files = killed_after(storage, 3)
    (storage.source / "01").write_text("changed")
    tree(storage, 8)
    assert (storage.tree(8) / "01").read_text() == "changed"
    assert summary(storage).startswith(f"Copied {6 - files + 1} files")
    assert storage.kept() == [f"shop-daily-8-{EPOCH + 8}"]
    verify(storage, 8)


def test_what_was_damaged_by_the_interruption_is_not_taken_over(storage: Storage) -> None:
    fill(storage.source)
    killed_after(storage, 3)
    stored = storage.folder / f".{NAME}.partial" / "tree" / str(storage.source).lstrip("/") / "00"
    # As after a power failure: the name is there, the blocks never came.
    stored.chmod(0o600)
    stored.write_bytes(bytes(2 * MiB))
    stored.chmod(0o400)
    tree(storage)
    assert (storage.tree() / "00").read_bytes() == (storage.source / "00").read_bytes()
    assert any("not what was read" in line for line in storage.lines(Level.WARN))
    verify(storage)


def test_many_interruptions_leave_one_thing_behind_that_got_furthest(storage: Storage) -> None:
    fill(storage.source)
    files = killed_after(storage, 4)
    killed_after(storage, 1)
    assert len(partials(storage)) == 2
    tree(storage, 9)
    assert f"; {files} files, " in summary(storage)
    assert storage.kept() == [f"shop-daily-9-{EPOCH + 9}"]


def test_a_cancel_is_gone_on_from(storage: Storage) -> None:
    fill(storage.source)
    storage.cancelled = lambda: copied(storage) >= 2
    with pytest.raises(Cancelled):
        storage.backup(7, Format="tree")
    assert partials(storage) == storage.kept() == [f".{NAME}.partial"]
    assert storage.lines(Level.WARN)[-1] == (
        f"What was copied stays hidden in {storage.folder}/.{NAME}.partial: the next backup of this "
        "configuration goes on from there. Remove it by hand if there will be none"
    )
    storage.cancelled = lambda: False
    files = copied(storage)
    tree(storage, 8)
    assert f"; {files} files, " in summary(storage)


def test_a_cancel_before_anything_was_copied_leaves_nothing(storage: Storage) -> None:
    fill(storage.source)
    storage.cancelled = lambda: bool(storage.reports)
    with pytest.raises(Cancelled):
        storage.backup(7, Format="tree")
    assert storage.kept() == []


def test_after_a_full_disk_a_larger_one_needs_only_the_rest(storage: Storage, mount_disk: MountDisk) -> None:
    disk = mount_disk("7m")
    fill(storage.source, 4)
    with pytest.raises(PluginFailed) as failed:
        storage.backup(7, Format="tree", BackupDestPath=str(disk))
    assert f"Cannot write {disk}/test/shop/.{NAME}.partial" in str(failed.value)
    assert "No space left on device" in str(failed.value)
    assert plugin.backup_list(storage.context(BackupDestPath=str(disk))) == ()
    assert names_in(disk / "test" / "shop") == [f".{NAME}.partial"]
    (storage.source / "03").unlink()
    tree(storage, 8, BackupDestPath=str(disk))
    assert summary(storage).startswith("Copied 0 files, 0 B; 3 files, 6.0 MiB")
    assert names_in(disk / "test" / "shop") == [f"shop-daily-8-{EPOCH + 8}"]


def test_an_archive_begins_anew_and_says_why(storage: Storage) -> None:
    fill(storage.source)
    killed_after(storage, 2)
    storage.backup(8)
    assert "An archive is one compressed stream, which nothing can go on from: it begins anew" in (
        storage.lines()
    )
    assert storage.lines(Level.WARN) == [
        f"Removing {storage.folder}/.{NAME}.partial, which an interrupted backup left behind"
    ]
    assert storage.kept() == [f"shop-daily-8-{EPOCH + 8}"]
