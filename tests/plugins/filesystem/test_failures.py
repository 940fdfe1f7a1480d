"""Whatever goes wrong, the reason is told and nothing is left behind."""

import os
import subprocess

import pytest

from tests.plugins.conftest import MountDisk
from tests.plugins.filesystem.conftest import Storage, powerless
from tests.plugins.filesystem.trees import MiB, names_in
from workflows_app.domain.errors import Cancelled, PluginFailed


@pytest.mark.parametrize("phase", ["scanning", "copying", "verifying"])
def test_a_cancel_in_any_phase_leaves_nothing(storage: Storage, phase: str) -> None:
    (storage.source / "big").write_bytes(os.urandom(5 * MiB))
    (storage.source / "small").write_text("content")
    looks: list[str] = []

    def cancelled() -> bool:
        looks.append(storage.reports[-1].note)
        return looks.count(phase) >= 2

    storage.cancelled = cancelled
    with pytest.raises(Cancelled):
        storage.backup()
    assert looks[-1] == phase
    assert storage.kept() == []


def test_a_cancel_is_heard_in_the_middle_of_a_file(storage: Storage) -> None:
    (storage.source / "big").write_bytes(os.urandom(8 * MiB))
    looks: list[int] = []

    def cancelled() -> bool:
        copying = [report for report in storage.reports if report.note == "copying"]
        looks.append(len(copying))
        return sum(1 for look in looks if look) >= 5

    storage.cancelled = cancelled
    with pytest.raises(Cancelled):
        storage.backup()
    assert not any("Copied 100 %" in line for line in storage.lines())
    assert storage.kept() == []


def test_a_backup_after_a_cancelled_one_is_as_good_as_any(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    storage.cancelled = lambda: True
    with pytest.raises(Cancelled):
        storage.backup()
    storage.cancelled = lambda: False
    storage.backup()
    assert storage.archive().exists()


def test_what_cannot_be_read_is_named_before_anything_is_copied(open_storage: Storage) -> None:
    source = open_storage.source
    (source / "closed").write_text("secret")
    (source / "closed").chmod(0)
    (source / "locked").mkdir()
    (source / "locked").chmod(0)
    (source / "open").write_text("content")
    with powerless(), pytest.raises(PluginFailed) as failed:
        open_storage.backup()
    assert str(failed.value).startswith(
        f"Cannot read 2 files or folders: {source}/closed (Permission denied), "
        f"{source}/locked (Permission denied). "
    )
    assert {report.note for report in open_storage.reports} == {"scanning"}
    assert open_storage.kept() == []


def test_of_many_unreadable_files_twenty_are_named_and_all_are_counted(open_storage: Storage) -> None:
    for number in range(30):
        (open_storage.source / f"{number:02}").touch(mode=0)
    with powerless(), pytest.raises(PluginFailed) as failed:
        open_storage.backup()
    assert str(failed.value).startswith("Cannot read 30 files or folders: ")
    assert str(failed.value).count("Permission denied") == 20
    assert "/19 (Permission denied) and 10 more. " in str(failed.value)


def test_a_file_that_becomes_unreadable_after_the_scan_is_named(open_storage: Storage) -> None:
    with powerless():
        folder = open_storage.destination.parent / "mine"
        folder.mkdir()
        victim = folder / "file"
        victim.write_text("content")
        open_storage.on_line = lambda text: victim.chmod(0) if text.startswith("Backing up") else None
        with pytest.raises(PluginFailed, match=rf"Cannot read 1 file or folder: {victim} \(Permission"):
            open_storage.backup(BackupSrcPaths=str(folder))
    assert open_storage.kept() == []


def test_a_destination_that_may_not_be_written_is_named(open_storage: Storage) -> None:
    open_storage.destination.chmod(0o555)
    with powerless(), pytest.raises(PluginFailed) as failed:
        open_storage.backup()
    assert f"Cannot write {open_storage.destination}/test: Permission denied" in str(failed.value)
    assert names_in(open_storage.destination) == []


def test_a_full_disk_is_named_and_freed_again(storage: Storage, mount_disk: MountDisk) -> None:
    small_disk = mount_disk("1m")
    (storage.source / "big").write_bytes(os.urandom(5 * MiB))
    with pytest.raises(PluginFailed) as failed:
        storage.backup(BackupDestPath=str(small_disk))
    assert f"Cannot write {small_disk}/test/shop/.shop-daily-7-" in str(failed.value)
    assert "No space left on device" in str(failed.value)
    assert names_in(small_disk / "test" / "shop") == []
    (storage.source / "big").write_bytes(b"small enough")
    storage.backup(BackupDestPath=str(small_disk))


def test_a_disk_too_full_for_the_list_of_names_is_named(storage: Storage, mount_disk: MountDisk) -> None:
    small_disk = mount_disk("1m")
    (small_disk / "filler").write_bytes(bytes(MiB - 40 * 1024))
    for number in range(1000):
        (storage.source / f"{number:0200}").touch()
    with pytest.raises(PluginFailed, match="No space left on device"):
        storage.backup(BackupDestPath=str(small_disk))
    assert names_in(small_disk / "test" / "shop") == []


def test_a_read_only_destination_is_named(storage: Storage, mount_disk: MountDisk) -> None:
    small_disk = mount_disk("1m")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(PluginFailed, match=f"Cannot write {small_disk}/test: Read-only file system"):
        storage.backup(BackupDestPath=str(small_disk))
