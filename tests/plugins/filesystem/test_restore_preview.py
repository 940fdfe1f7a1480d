"""Dry runs: what a restore would do, without any of it."""

import os
import shutil
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import EPOCH, Storage
from tests.plugins.filesystem.restoring import Restoring
from tests.plugins.filesystem.trees import MiB, add_socket, everything, make_nasty_tree, picture
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level

NAME = f"shop-daily-7-{EPOCH + 7}"


@pytest.fixture
def restoring(storage: Storage) -> Restoring:
    return Restoring(storage)


def times(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_ino, path.lstat().st_ctime_ns) for path in [root, *everything(root)]}


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(restoring: Restoring) -> None:
    source = restoring.storage.source
    for name in ("same", "longer", "touched", "removed"):
        (source / name).write_text(name)
        os.utime(source / name, ns=(0, 0))
        (source / name).chmod(0o644)
    (source / "big").write_bytes(os.urandom(MiB))
    (source / "link").symlink_to("same")
    (source / "folder" / "deep").mkdir(parents=True)
    restoring.storage.backup()
    (source / "longer").write_text("longer than before")
    os.utime(source / "longer", ns=(0, 0))
    (source / "touched").touch()
    (source / "removed").unlink()
    (source / "big").unlink()
    (source / "big").mkdir()
    (source / "same").chmod(0o600)
    link_time = (source / "link").lstat().st_mtime_ns
    (source / "link").unlink()
    (source / "link").symlink_to("elsewhere")
    os.utime(source / "link", ns=(0, link_time), follow_symlinks=False)
    (source / "folder" / "new").mkdir()
    (source / "folder" / "new" / "file").write_text("12345")
    add_socket(source / "zz.sock")
    before, before_times = picture(source), times(source.parent)
    assert restoring.restore(dry_run=True).code == 0
    assert (picture(source), times(source.parent)) == (before, before_times)
    assert restoring.lines()[3:] == [
        f"{source}/big (1.0 MiB): would be changed: directory becomes file",
        f"{source}/folder/new (0 B): not in the backup, left as it is",
        f"{source}/folder/new/file (5 B): not in the backup, left as it is",
        f"{source}/link (0 B): would be changed: link target",
        f"{source}/longer (6 B): would be changed: size 18 B becomes 6 B",
        f"{source}/removed (7 B): would be created",
        f"{source}/same (4 B): would be changed: mode 0600 becomes 0644",
        f"{source}/touched (7 B): would be changed: time",
        f"{source}/zz.sock (0 B): not in the backup, left as it is",
        (
            f"Dry run of {NAME}: 1 to create (7 B), 5 to change (1.0 MiB), 3 unchanged, "
            "3 not in the backup and left as they are"
        ),
    ]


def test_a_target_that_does_not_exist_is_not_created(restoring: Restoring, tmp_path: Path) -> None:
    make_nasty_tree(restoring.storage.source)
    restoring.storage.backup()
    restoring.restore(target=tmp_path / "new", dry_run=True)
    assert not (tmp_path / "new").exists()
    count = len(picture(restoring.storage.source))
    assert restoring.lines()[-1].startswith(f"Dry run of {NAME}: {count} to create (")
    assert restoring.lines()[-1].endswith(
        ", 0 to change (0 B), 0 unchanged, 0 not in the backup and left as they are"
    )


def test_after_a_restore_everything_is_unchanged(restoring: Restoring, tmp_path: Path) -> None:
    make_nasty_tree(restoring.storage.source)
    restoring.storage.backup()
    count = len(picture(restoring.storage.source))
    for target in ("", tmp_path / "out"):
        restoring.restore(target=target)
        restoring.restore(target=target, dry_run=True)
        assert restoring.lines()[3:] == [
            (
                f"Dry run of {NAME}: 0 to create (0 B), 0 to change (0 B), {count} unchanged, "
                "0 not in the backup and left as they are"
            ),
        ]


def test_a_hard_link_that_is_a_file_of_its_own_now_would_be_changed(restoring: Restoring) -> None:
    source = restoring.storage.source
    (source / "a").write_text("content")
    (source / "b").hardlink_to(source / "a")
    restoring.storage.backup()
    shutil.copy2(source / "a", source / "copy")
    (source / "copy").rename(source / "b")
    restoring.restore(dry_run=True)
    assert f"{source}/b (0 B): would be changed: becomes hardlink" in restoring.lines()


def test_an_owner_counts_for_who_can_restore_it(restoring: Restoring) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    file = restoring.storage.source / "file"
    file.write_text("content")
    restoring.storage.backup()
    os.chown(file, 65534, 65533)
    restoring.restore(dry_run=True)
    assert f"{file} (7 B): would be changed: owner 65534:65533 becomes 0:0" in restoring.lines()


def test_only_the_first_hundred_of_each_kind_are_named(restoring: Restoring) -> None:
    source = restoring.storage.source
    for number in range(103):
        (source / f"gone-{number:03}").write_text("x")
    restoring.storage.backup()
    for number in range(103):
        (source / f"gone-{number:03}").rename(source / f"new-{number:03}")
    restoring.restore(dry_run=True)
    lines = restoring.lines()[3:]
    assert sum("would be created" in line for line in lines) == 100
    assert sum("left as it is" in line for line in lines) == 100
    assert lines[-3:] == [
        "… and 3 more to create",
        "… and 3 more not in the backup and left as they are",
        (
            f"Dry run of {NAME}: 103 to create (103 B), 0 to change (0 B), 1 unchanged, "
            "103 not in the backup and left as they are"
        ),
    ]


def test_a_dry_run_of_a_damaged_backup_fails_as_the_restore_would(restoring: Restoring) -> None:
    (restoring.storage.source / "file").write_text("content")
    restoring.storage.backup()
    with restoring.storage.archive().open("ab") as file:
        file.write(b"more")
    with pytest.raises(PluginFailed, match="failed its verification"):
        restoring.restore(dry_run=True)
    assert restoring.lines(Level.WARN) == []
