"""Backups that come back, to where they were and to somewhere else."""

import os
import shutil
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import EPOCH, Storage, powerless
from tests.plugins.filesystem.restoring import Restoring
from tests.plugins.filesystem.trees import MiB, everything, make_nasty_tree, names_in, picture
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level, Result

NAME = f"shop-daily-7-{EPOCH + 7}"


@pytest.fixture
def restoring(storage: Storage) -> Restoring:
    return Restoring(storage)


def below(target: Path, source: Path) -> Path:
    return target / str(source).lstrip("/")


def leftovers(root: Path) -> list[str]:
    return [path.name for path in everything(root) if path.name.startswith(".restore-")]


def test_a_deleted_source_comes_back_as_it_was(restoring: Restoring) -> None:
    source = restoring.storage.source
    make_nasty_tree(source)
    before = picture(source)
    restoring.storage.backup()
    shutil.rmtree(source)
    assert restoring.restore() == Result()
    assert picture(source) == before
    assert restoring.lines(Level.WARN) == []


def test_a_damaged_source_comes_back_as_it_was_and_keeps_what_is_new(restoring: Restoring) -> None:
    source = restoring.storage.source
    make_nasty_tree(source)
    before = picture(source)
    restoring.storage.backup()
    (source / "plain.txt").write_text("overwritten")
    (source / "big").unlink()
    (source / "twin-a").unlink()
    (source / "twin-a").write_text("another file now")
    (source / "link").unlink()
    (source / "link").write_text("a file in the place of a link")
    (source / "empty").unlink()
    (source / "empty").mkdir()
    (source / "sticky").rmdir()
    (source / "sticky").write_text("a file in the place of a folder")
    (source / "private").chmod(0o777)
    (source / "new").write_text("new")
    assert restoring.restore().code == 0
    assert (source / "new").read_text() == "new"
    (source / "new").unlink()
    os.utime(source, ns=(0, before["."].mtime_ns))
    assert picture(source) == before
    assert leftovers(source) == []


def test_another_target_gets_all_of_it_and_the_source_nothing(restoring: Restoring, tmp_path: Path) -> None:
    source = restoring.storage.source
    make_nasty_tree(source)
    before = picture(source)
    restoring.storage.backup()
    (source / "plain.txt").write_text("damaged")
    damaged = picture(source)
    target = tmp_path / "new" / "target"
    for _ in range(2):
        assert restoring.restore(target=target).code == 0
        assert picture(below(target, source)) == before
    assert picture(source) == damaged


def test_a_link_with_two_names_comes_back_as_one_link(restoring: Restoring) -> None:
    source = restoring.storage.source
    (source / "file").write_text("content")
    for name in ("file", "nowhere"):
        (source / f"to-{name}").symlink_to(name)
        os.link(source / f"to-{name}", source / f"twin-of-{name}", follow_symlinks=False)
    before = picture(source)
    restoring.storage.backup()
    shutil.rmtree(source)
    assert restoring.restore().code == 0
    assert picture(source) == before


def test_holes_stay_holes(restoring: Restoring) -> None:
    sparse = restoring.storage.source / "sparse"
    size = 64 * MiB
    with sparse.open("wb") as file:
        file.seek(size // 2 + 5)
        file.write(b"data")
        file.truncate(size)
    if sparse.stat().st_blocks * 512 > size // 2:
        pytest.skip("this filesystem has no holes")
    content = sparse.read_bytes()
    restoring.storage.backup()
    sparse.unlink()
    restoring.restore()
    assert sparse.read_bytes() == content
    assert sparse.stat().st_blocks * 512 < MiB


def test_a_source_that_is_a_file_and_a_folder_come_back(restoring: Restoring) -> None:
    source = restoring.storage.source
    (source / "b").write_text("a file")
    (source / "a").mkdir()
    (source / "a" / "file").write_text("in a folder")
    restoring.storage.backup(BackupSrcPaths=f"{source}/b,{source}/a")
    shutil.rmtree(source)
    restoring.restore()
    assert (source / "b").read_text() == "a file"
    assert (source / "a" / "file").read_text() == "in a folder"
    assert restoring.lines()[1] == f"Restoring backup {NAME} to {source}/b, {source}/a"


def test_the_log_and_the_progress_tell_the_story(restoring: Restoring) -> None:
    source = restoring.storage.source
    for number in range(40):
        (source / str(number)).write_bytes(bytes(1024 * 3))
    restoring.storage.backup()
    restoring.restore()
    first, second, third, *steps, last = restoring.lines()
    assert first == "Performing filesystem restore"
    assert second == f"Restoring backup {NAME} to {source}"
    assert third.startswith(f"Verifying {NAME}.tar.zst, ")
    assert steps[2] == "Restored 30 % (36.0 KiB of 120.0 KiB, 11 of 40 files)"
    assert len(steps) == 10
    assert last == f"Backup {NAME} restored to {source}: 40 files, 120.0 KiB"
    ends = {report.note: report for report in restoring.reports}
    assert list(ends) == ["verifying", "restoring"]
    packed = restoring.storage.archive().stat().st_size
    verified, end = ends["verifying"], ends["restoring"]
    assert (verified.done_bytes, verified.total_bytes) == (packed, packed)
    assert (end.done_bytes, end.total_bytes, end.done_files, end.total_files) == (122880, 122880, 40, 40)


def test_a_cancelled_restore_leaves_whole_files_only(restoring: Restoring) -> None:
    source = restoring.storage.source
    (source / "a").write_text("small")
    (source / "b").write_bytes(os.urandom(4 * MiB))
    (source / "c").write_text("small")
    source.chmod(0o750)
    restoring.storage.backup()
    shutil.rmtree(source)
    restoring.cancelled = lambda: any(p.stat().st_size > MiB for p in source.glob(".restore-90.partial"))
    with pytest.raises(Cancelled):
        restoring.restore()
    assert names_in(source) == ["a"]
    assert source.stat().st_mode & 0o777 == 0o750
    assert restoring.lines(Level.WARN) == [
        "The restore was cancelled after 1 of 3 files, 5 B of 4.0 MiB, which stay restored"
    ]


def test_what_a_killed_attempt_left_is_cleaned_up_by_the_next(restoring: Restoring) -> None:
    source = restoring.storage.source
    (source / "file").write_text("content")
    restoring.storage.backup()
    (source / ".restore-90.partial").write_text("half")
    restoring.restore()
    assert names_in(source) == ["file"]


def test_a_full_folder_in_the_place_of_a_file_is_left_and_the_rest_restored(restoring: Restoring) -> None:
    source = restoring.storage.source
    for name in "abc":
        (source / name).write_text(name)
    (source / "d").hardlink_to(source / "b")
    restoring.storage.backup()
    shutil.rmtree(source)
    (source / "b").mkdir(parents=True)
    (source / "b" / "precious").write_text("precious")
    assert restoring.restore().code == 1
    assert names_in(source) == ["a", "b", "c"]
    assert (source / "b" / "precious").read_text() == "precious"
    full, twin, last = restoring.lines(Level.ERROR)
    assert full == f"Cannot restore {source}/b: a folder that is not empty is in its place: move it away"
    assert twin.startswith(f"Cannot restore {source}/d: ")
    assert "was not restored" in twin
    assert last.endswith("in part: 2 files, 2 B; 2 could not be restored, as said above")


def test_only_so_many_failures_are_named(restoring: Restoring) -> None:
    source = restoring.storage.source
    for number in range(25):
        (source / f"{number:02}").write_text("content")
    restoring.storage.backup()
    for number in range(25):
        (source / f"{number:02}").unlink()
        (source / f"{number:02}" / "full").mkdir(parents=True)
    restoring.restore()
    assert len(restoring.lines(Level.ERROR)) == 22
    assert restoring.lines(Level.ERROR)[20] == "… and 5 more that cannot be restored"


def test_who_is_not_root_gets_files_of_his_own_and_one_warning(open_storage: Storage) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root has files of others to back up")
    restoring = Restoring(open_storage)
    source, target = open_storage.source, open_storage.source.with_name("target")
    (source / "mine").write_text("root's")
    (source / "program").write_text("root's")
    (source / "program").chmod(0o4755)
    os.mknod(source / "null", 0o020666, os.makedev(1, 3))
    (source / "closed").mkdir()
    (source / "closed" / "file").write_text("content")
    (source / "closed").chmod(0o555)
    open_storage.backup()
    for path in (open_storage.folder / NAME, *(open_storage.folder / NAME).iterdir()):
        path.chmod(0o755)
    out = below(target, source)
    with powerless():
        for _ in range(2):
            assert restoring.restore(target=target).code == 0
            device, owners = sorted(restoring.lines(Level.WARN))
            assert device == f"{out}/null: a device, which only root may create; it is left out"
            assert owners.startswith(
                "Owners cannot be restored by the worker's user (uid 65534), first that of"
            )
    out = below(target, source)
    assert names_in(out) == ["closed", "mine", "program"]
    assert (out / "program").stat().st_mode & 0o7777 == 0o755
    assert (out / "closed").stat().st_mode & 0o7777 == 0o555


def test_a_damaged_archive_touches_nothing(restoring: Restoring, tmp_path: Path) -> None:
    source = restoring.storage.source
    (source / "file").write_bytes(os.urandom(100_000))
    restoring.storage.backup()
    (source / "file").write_text("newer")
    before = picture(source)
    data = bytearray(restoring.storage.archive().read_bytes())
    data[60_000] ^= 1
    restoring.storage.archive().write_bytes(data)
    for target in ("", tmp_path / "out"):
        with pytest.raises(PluginFailed, match="failed its verification"):
            restoring.restore(target=target)
    assert picture(source) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("other", "time", "why"),
    [
        ("bad", 0, "the content of .*/file is not"),
        ("odd", 1, "source/file is not"),
        (None, 0, "it ends before"),
    ],
)
def test_an_archive_that_changes_after_it_was_verified_ends_the_restore(
    restoring: Restoring, other: str | None, time: int, why: str
) -> None:
    storage = restoring.storage
    file = storage.source / "file"
    for number, content, changed in ((1, other, time), (7, "odd", 0)):
        if content is not None:
            file.write_text(content)
            os.utime(file, ns=(0, changed))
        os.utime(storage.source, ns=(0, 0))
        storage.backup(number)
    file.write_text("now")

    def swap() -> bool:
        last = restoring.reports[-1]
        if last.done_bytes == last.total_bytes and storage.archive(1).exists():
            storage.archive(1).rename(storage.archive(7))
        return False

    restoring.cancelled = swap
    with pytest.raises(PluginFailed, match=f"changed since it was verified: .*{why}"):
        restoring.restore()
    assert file.read_text() == "now"
    assert leftovers(storage.source) == []
