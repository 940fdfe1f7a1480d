"""Restores that are refused before anything is written."""

import os
import shutil
from pathlib import Path

import pytest

from tests.plugins.conftest import MountDisk
from tests.plugins.filesystem.conftest import EPOCH, Storage, powerless
from tests.plugins.filesystem.restoring import Restoring
from tests.plugins.filesystem.trees import MiB, names_in, picture
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Backup, Content, Level


@pytest.fixture
def restoring(storage: Storage) -> Restoring:
    """A backup, 7, of one file."""
    (storage.source / "file").write_text("content")
    storage.backup()
    return Restoring(storage)


def test_the_backup_is_found_by_its_whole_name(restoring: Restoring) -> None:
    storage = restoring.storage
    for number in (12, 1):
        (storage.source / "file").write_text(f"of run {number}")
        storage.backup(number)
    restoring.restore(1)
    assert (storage.source / "file").read_text() == "of run 1"
    shutil.rmtree(storage.archive(1).parent)
    (storage.source / "file").write_text("now")
    with pytest.raises(PluginFailed) as failed:
        restoring.restore(1)
    assert str(failed.value) == (
        "Restore data no longer available for workflow id [1], check retention policy: there is no complete "
        f"backup 'shop-daily-1-{EPOCH + 1}' in {storage.folder}"
    )
    assert (storage.source / "file").read_text() == "now"


@pytest.mark.parametrize("name", ["", ".", "..", "../shop/x", "/etc", ".hidden", "a\0b", "shop-daily-7"])
def test_a_name_that_is_none_is_not_looked_for_elsewhere(restoring: Restoring, name: str) -> None:
    with pytest.raises(PluginFailed, match=r"no longer available for workflow id \[7\]"):
        restoring.restore(backup=Backup(name=name, workflow_id="7"))


def test_a_link_to_a_backup_is_none(restoring: Restoring, tmp_path: Path) -> None:
    folder = restoring.storage.archive().parent
    folder.rename(tmp_path / folder.name)
    folder.symlink_to(tmp_path / folder.name)
    with pytest.raises(PluginFailed, match="no longer available"):
        restoring.restore()


def test_a_backup_of_something_else_than_was_chosen_is_refused(restoring: Restoring) -> None:
    chosen = restoring.backup(7).model_copy(
        update={"contents": (Content(type="filesystem", source="/srv/other"),)}
    )
    with pytest.raises(PluginFailed, match="instead of /srv/other, for which it was chosen"):
        restoring.restore(backup=chosen)


def test_a_renamed_backup_and_a_missing_disk_are_named(restoring: Restoring, tmp_path: Path) -> None:
    with pytest.raises(PluginFailed, match="does not exist: check BackupDestPath and that its disk"):
        restoring.restore(destination=tmp_path / "unmounted")
    storage = restoring.storage
    storage.archive(7).parent.rename(storage.archive(8).parent)
    for path in storage.archive(8).parent.iterdir():
        path.rename(str(path).replace(f"-7-{EPOCH + 7}.", f"-8-{EPOCH + 8}."))
    with pytest.raises(PluginFailed, match="cannot be used: it tells of 'shop-daily-7-"):
        restoring.restore(8)


def test_a_target_must_be_an_absolute_path_outside_of_the_backups(
    restoring: Restoring, tmp_path: Path
) -> None:
    storage = restoring.storage
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "to-backups").symlink_to(storage.destination)
    before = picture(tmp_path)

    def refusal(target: Path | str) -> str:
        with pytest.raises(PluginFailed) as failed:
            restoring.restore(target=target)
        return str(failed.value)

    assert "'relative/path' is not an absolute path" in refusal("relative/path")
    assert "is not an absolute path" in refusal("/a\0b")
    assert "lies in the destination" in refusal(storage.destination)
    assert "lies in the destination" in refusal(storage.folder / "new")
    assert "lies in the destination" in refusal(tmp_path / "to-backups" / "x")
    assert "lies in the destination" in refusal(f"{tmp_path}/x/../destination")
    assert "is not a folder" in refusal(tmp_path / "file")
    assert picture(tmp_path) == before


def test_a_destination_in_the_place_of_a_source_is_refused(restoring: Restoring, tmp_path: Path) -> None:
    moved = tmp_path / "target" / str(restoring.storage.source).lstrip("/") / "backups"
    moved.parent.mkdir(parents=True)
    restoring.storage.destination.rename(moved)
    restoring.storage.destination = moved
    with pytest.raises(PluginFailed, match="would overwrite the destination"):
        restoring.restore(target=tmp_path / "target")
    assert names_in(moved.parent) == ["backups"]


def test_a_source_in_the_place_of_the_backups_is_refused(restoring: Restoring, tmp_path: Path) -> None:
    moved = tmp_path / "target" / str(restoring.storage.source.parent).lstrip("/")
    moved.parent.mkdir(parents=True)
    restoring.storage.destination.rename(moved)
    restoring.storage.destination = moved
    with pytest.raises(PluginFailed, match="would overwrite the destination"):
        restoring.restore(target=tmp_path / "target")
    assert names_in(moved) == ["test"]


def test_a_target_that_is_a_link_is_followed_and_that_is_said(restoring: Restoring, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    restoring.restore(target=tmp_path / "alias")
    out = tmp_path / "real" / str(restoring.storage.source).lstrip("/")
    assert (out / "file").read_text() == "content"
    assert f"The target {tmp_path}/alias is really {tmp_path}/real: that is where it is restored" in (
        restoring.lines()
    )


def test_a_link_in_the_place_of_a_source_or_above_it_is_refused(restoring: Restoring, tmp_path: Path) -> None:
    source = restoring.storage.source
    source.rename(tmp_path / "elsewhere")
    source.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "file").write_text("now")
    with pytest.raises(PluginFailed, match=f"{source} is a symbolic link now"):
        restoring.restore()
    top = tmp_path / "target" / source.parts[1]
    (tmp_path / "target").mkdir()
    top.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PluginFailed, match=f"{top} is a symbolic link now"):
        restoring.restore(target=tmp_path / "target")
    top.unlink()
    top.write_text("a file")
    with pytest.raises(PluginFailed, match=f"{top} is not a folder"):
        restoring.restore(target=tmp_path / "target")
    assert names_in(tmp_path / "elsewhere") == ["file"]
    assert (tmp_path / "elsewhere" / "file").read_text() == "now"


def test_a_target_that_is_not_writable_is_refused(open_storage: Storage) -> None:
    (open_storage.source / "file").write_text("content")
    open_storage.backup()
    restoring = Restoring(open_storage)
    for path in (open_storage.archive().parent, *open_storage.archive().parent.iterdir()):
        path.chmod(0o755)
    target = open_storage.source.with_name("target")
    target.mkdir()
    target.chmod(0o555)
    with powerless(), pytest.raises(PluginFailed, match=f"{target} is not writable for the worker's user"):
        restoring.restore(target=target)
    assert names_in(target) == []


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    storage: Storage, mount_disk: MountDisk
) -> None:
    small_disk = mount_disk("4m")
    restoring = Restoring(storage)
    for name in "abc":
        (storage.source / name).write_bytes(os.urandom(2 * MiB))
    storage.backup()
    with pytest.raises(PluginFailed) as failed:
        restoring.restore(target=small_disk)
    assert str(failed.value) == (
        f"Not enough space at {small_disk}: the restore needs 6.0 MiB, 4.0 MiB are free. Make room, "
        "or choose another target"
    )
    assert names_in(small_disk) == []
    restoring.restore(target=small_disk, dry_run=True)
    assert restoring.lines(Level.WARN) == [str(failed.value)]
    assert names_in(small_disk) == []


def test_what_is_replaced_counts_as_free(storage: Storage, mount_disk: MountDisk) -> None:
    small_disk = mount_disk("4m")
    restoring = Restoring(storage)
    for name in "abc":
        (storage.source / name).write_bytes(os.urandom(MiB - 64 * 1024))
    storage.backup()
    for _ in range(2):
        assert restoring.restore(target=small_disk).code == 0


def test_a_disk_that_fills_up_meanwhile_ends_the_restore(storage: Storage, mount_disk: MountDisk) -> None:
    small_disk = mount_disk("4m")
    restoring = Restoring(storage)
    for name in "ab":
        (storage.source / name).write_bytes(os.urandom(MiB))
    storage.backup()

    def fill(text: str) -> None:
        if text.startswith("Restored 50 %"):
            (small_disk / "filler").write_bytes(bytes(5 * MiB // 2))

    restoring.on_line = fill
    with pytest.raises(PluginFailed) as failed:
        restoring.restore(target=small_disk)
    out = small_disk / str(storage.source).lstrip("/")
    assert str(failed.value).startswith(f"Cannot restore {out}/b: No space left on device")
    assert names_in(out) == ["a"]
    assert restoring.lines(Level.WARN) == [
        "The restore ended after 1 of 2 files, 1.0 MiB of 2.0 MiB, which stay restored"
    ]
