"""Backups in the format ``tree``: complete each, sharing what did not change."""

import errno
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings

from tests.plugins.conftest import MountDisk
from tests.plugins.filesystem.conftest import EPOCH, Storage
from tests.plugins.filesystem.restoring import Restoring
from tests.plugins.filesystem.saving import inode, restored, tree, verify
from tests.plugins.filesystem.trees import TREES, everything, make_nasty_tree, names_in, odd, picture, plant
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.conformance.cases import Verdict
from workflows_app.plugins.conformance.scratch import Scratch
from workflows_app.plugins.conformance.suite import check_plugin
from workflows_app.plugins.conformance.trial import Trial
from workflows_app.plugins.filesystem import tree_copy
from workflows_app.plugins.filesystem.plugin import plugin
from workflows_app.plugins.filesystem.reading import SourceReader
from workflows_app.plugins.filesystem.rolling import RollingShare


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has just been written counts as settled."""
    monkeypatch.setattr(tree_copy, "SETTLED_NS", 0)


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the source's files whose content was read."""
    names: list[str] = []
    content = SourceReader.content

    def noted(self: SourceReader, path: str, *rest: Any) -> str:
        names.append(Path(path).name)
        return content(self, path, *rest)

    monkeypatch.setattr(SourceReader, "content", noted)
    return names


def test_a_nasty_tree_comes_back_as_it_was(storage: Storage, tmp_path: Path) -> None:
    make_nasty_tree(storage.source)
    before = picture(storage.source)
    tree(storage)
    assert restored(storage, 7, tmp_path / "out") == before
    verify(storage)


def test_holes_are_holes_in_the_backup_and_after_a_restore(storage: Storage, tmp_path: Path) -> None:
    make_nasty_tree(storage.source)
    tree(storage)
    restored(storage, 7, tmp_path / "out")
    for name in ("hole-in-the-middle", "hole-at-the-end", "only-a-hole", odd(b"hole-\xff")):
        room = (storage.source / name).lstat().st_blocks
        assert (storage.tree() / name).lstat().st_blocks <= room
        assert (tmp_path / "out" / str(storage.source).lstrip("/") / name).lstat().st_blocks <= room


def test_the_content_lies_there_as_plain_files_that_nobody_may_write(storage: Storage) -> None:
    (storage.source / "folder").mkdir()
    (storage.source / "folder" / "file").write_text("content")
    (storage.source / "folder" / "file").chmod(0o777)
    (storage.source / "link").symlink_to("folder")
    tree(storage)
    assert (storage.tree() / "folder" / "file").read_text() == "content"
    assert stat.S_IMODE((storage.tree() / "folder" / "file").stat().st_mode) == 0o400
    assert names_in(storage.tree()) == ["folder"]
    assert stat.S_IMODE(storage.manifest().parent.stat().st_mode) == 0o700


def test_the_list_has_trees_and_archives(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    storage.backup(7)
    tree(storage, 8)
    listed = plugin.backup_list(storage.context(9))
    assert [(b.workflow_id, b.contents[0].data, b.contents[0].size) for b in listed] == [
        ("7", f"shop-daily-7-{EPOCH + 7}.tar.zst", str(storage.archive().stat().st_size)),
        ("8", "tree", "7"),
    ]


def test_what_did_not_change_is_linked_without_being_read(
    storage: Storage, at_once: None, read_files: list[str]
) -> None:
    for name in ("same", "grown", "rewritten", "gone"):
        (storage.source / name).write_text(f"content of {name}")
    tree(storage, 7)
    assert read_files == ["gone", "grown", "rewritten", "same"]
    read_files.clear()
    (storage.source / "grown").write_text("content of grown and more")
    (storage.source / "rewritten").write_text("CONTENT of rewritten")
    (storage.source / "gone").unlink()
    (storage.source / "new").write_text("new")
    tree(storage, 8, VerifyLinked="0")
    assert read_files == ["grown", "new", "rewritten"]
    assert inode(storage.tree(8) / "same") == inode(storage.tree(7) / "same")
    assert inode(storage.tree(8) / "rewritten") != inode(storage.tree(7) / "rewritten")
    assert (storage.tree(7) / "rewritten").read_text() == "content of rewritten"
    assert (storage.tree(8) / "rewritten").read_text() == "CONTENT of rewritten"
    assert names_in(storage.tree(8)) == ["grown", "new", "rewritten", "same"]
    assert "Copied 3 files, 48 B; 1 file, 15 B did not change and were there already" in (storage.lines())


def test_a_changed_time_alone_costs_no_room(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    tree(storage, 7)
    os.utime(storage.source / "file", ns=(5, 5))
    tree(storage, 8)
    assert inode(storage.tree(8) / "file") == inode(storage.tree(7) / "file")


def test_a_write_that_hides_its_time_is_seen_by_the_change_time(
    storage: Storage, at_once: None, tmp_path: Path
) -> None:
    file = storage.source / "file"
    file.write_text("content")
    before = file.stat()
    tree(storage, 7)
    file.write_text("CONTENT")
    os.utime(file, ns=(before.st_mtime_ns, before.st_mtime_ns))
    tree(storage, 8)
    assert (storage.tree(8) / "file").read_text() == "CONTENT"
    assert (storage.tree(7) / "file").read_text() == "content"


def test_what_changed_just_now_is_read_again(storage: Storage, read_files: list[str]) -> None:
    (storage.source / "file").write_text("content")
    tree(storage, 7)
    tree(storage, 8)
    assert read_files == ["file", "file"]
    assert inode(storage.tree(8) / "file") == inode(storage.tree(7) / "file")


def test_by_hash_every_file_is_read_and_the_same_ones_are_linked(
    storage: Storage, at_once: None, read_files: list[str]
) -> None:
    for name in ("same", "other"):
        (storage.source / name).write_text(name)
    tree(storage, 7, Unchanged="hash")
    (storage.source / "other").write_text("OTHER")
    read_files.clear()
    tree(storage, 8, Unchanged="hash")
    assert set(read_files) == {"same", "other"}
    assert inode(storage.tree(8) / "same") == inode(storage.tree(7) / "same")


def test_changed_attributes_of_the_same_content_are_those_of_each_backup(
    storage: Storage, tmp_path: Path
) -> None:
    file = storage.source / "file"
    file.write_text("content")
    file.chmod(0o640)
    before = picture(storage.source)
    tree(storage, 7)
    file.chmod(0o4755)
    if os.geteuid() == 0:
        os.chown(file, 1234, 5678)
        file.chmod(0o4755)
    os.utime(file, ns=(10**18, 10**18))
    after = picture(storage.source)
    assert before != after
    tree(storage, 8)
    assert inode(storage.tree(8) / "file") == inode(storage.tree(7) / "file")
    assert restored(storage, 7, tmp_path / "seven") == before
    assert restored(storage, 8, tmp_path / "eight") == after


def test_a_restore_copies_and_so_protects_the_backups(storage: Storage) -> None:
    file = storage.source / "file"
    file.write_text("content")
    tree(storage, 7)
    assert Restoring(storage).restore(7).code == 0
    assert inode(file) != inode(storage.tree() / "file")
    file.write_text("overwritten")
    assert (storage.tree() / "file").read_text() == "content"


def test_any_backup_can_be_deleted_without_harm_to_the_others(storage: Storage, tmp_path: Path) -> None:
    (storage.source / "same").write_text("same")
    pictures = {}
    for number in (7, 8, 9):
        (storage.source / "changing").write_text(f"run {number}")
        tree(storage, number)
        pictures[number] = picture(storage.source)
    assert storage.retain(keep=2, number=9).code == 0
    assert [b.workflow_id for b in plugin.backup_list(storage.context(9))] == ["8", "9"]
    for number in (8, 9):
        verify(storage, number)
        assert restored(storage, number, tmp_path / str(number)) == pictures[number]


def test_an_archive_between_two_trees_does_no_harm(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    tree(storage, 7)
    storage.backup(8)
    tree(storage, 9)
    assert inode(storage.tree(9) / "file") == inode(storage.tree(7) / "file")


def test_sources_are_shared_whatever_others_come_and_go(storage: Storage, tmp_path: Path) -> None:
    other = tmp_path / "another"
    other.mkdir()
    for folder in (other, storage.source):
        (folder / "file").write_text(folder.name)
    tree(storage, 7, BackupSrcPaths=f"{storage.source},{other}")
    tree(storage, 8)
    tree(storage, 9, BackupSrcPaths=f"{storage.source}/file")
    assert inode(storage.tree(9) / "file") == inode(storage.tree(7) / "file")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda file: file.write_bytes(b"CONTENT"), "has SHA-256 .* instead of"),
        (lambda file: file.write_bytes(b"short"), "has 5 bytes instead of 7"),
        (lambda file: file.unlink(), "is missing"),
        (lambda file: file.with_name("z").write_text("more"), "in the tree but not in the manifest"),
        (lambda file: (file.unlink(), file.symlink_to("/etc/passwd")), "is no file"),
        (lambda file: (file.unlink(), file.mkdir()), "is no file"),
    ],
)
def test_any_damage_is_found_before_a_restore_touches_anything(
    storage: Storage, tmp_path: Path, damage: Callable[[Path], Any], words: str
) -> None:
    (storage.source / "file").write_text("content")
    tree(storage)
    damage(storage.tree() / "file")
    with pytest.raises(PluginFailed, match=words):
        verify(storage)
    with pytest.raises(PluginFailed, match=words):
        Restoring(storage).restore(7, target=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_changed_line_of_the_manifest_is_found(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    tree(storage)
    text = storage.manifest().read_text()
    storage.manifest().write_text(text.replace('"mode":420', '"mode":511'))
    with pytest.raises(PluginFailed, match="its lines are not those that were written"):
        verify(storage)
    tree(storage, 8)
    assert any("Everything is copied anew" in line for line in storage.lines(Level.WARN))
    assert inode(storage.tree(8) / "file") != inode(storage.tree(7) / "file")


def test_a_damaged_file_is_copied_anew_and_told(storage: Storage, at_once: None) -> None:
    (storage.source / "file").write_text("content")
    tree(storage, 7)
    (storage.tree(7) / "file").chmod(0o600)
    (storage.tree(7) / "file").write_text("CONTENT")
    tree(storage, 8, VerifyLinked="100")
    assert (storage.tree(8) / "file").read_text() == "content"
    assert storage.lines(Level.WARN) == [
        f"{storage.source}/file: its copy in an earlier backup is damaged, verify that one; it is copied anew"
    ]
    verify(storage, 8)


def test_the_share_that_is_checked_goes_round() -> None:
    paths = [f"folder/{number}" for number in range(2000)]
    seen: list[str] = []
    share = RollingShare(0, 30)
    for _ in range(4):
        seen += [path for path in paths if share.has(path)]
        share = RollingShare(share.next_first, 30)
    assert set(seen) == set(paths)
    assert len(seen) < 1.3 * len(paths)
    assert not any(RollingShare(5, 0).has(path) for path in paths)
    assert all(RollingShare(5, 100).has(path) for path in paths)


def test_each_run_checks_the_next_share(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    for number in (7, 8, 9):
        tree(storage, number, VerifyLinked="40")
    checked = [json.loads(storage.manifest(n).read_text().splitlines()[0])["tree"] for n in (7, 8, 9)]
    assert checked == [{"checked": 40}, {"checked": 80}, {"checked": 20}]


def test_a_disk_without_hard_links_gets_copies_and_says_so(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (storage.source / "file").write_text("content")
    tree(storage, 7)

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    tree(storage, 8)
    assert inode(storage.tree(8) / "file") != inode(storage.tree(7) / "file")
    assert storage.lines(Level.WARN) == [
        f"{storage.source}/file: cannot be a hard link to the backup before on this disk; it is copied"
    ]


def test_it_keeps_the_promises_of_a_storage_plugin(tmp_path: Path) -> None:
    trial = Trial(plugin, "storage", Scratch(tmp_path), given={"Format": "tree"}, seconds=20, freeze=True)
    outcomes = list(check_plugin(trial))
    assert [outcome for outcome in outcomes if outcome.verdict is Verdict.FAIL] == []
    assert len(outcomes) > 10


@given(first=TREES, second=TREES)
@settings(max_examples=40, deadline=None)
def test_any_two_trees_come_back_both(first: dict[bytes, object], second: dict[bytes, object]) -> None:
    with TemporaryDirectory() as folder:
        storage = Storage(Path(folder).resolve())
        plant(storage.source, first)
        before = picture(storage.source)
        tree(storage, 7)
        shutil.rmtree(storage.source)
        storage.source.mkdir()
        plant(storage.source, second)
        after = picture(storage.source)
        tree(storage, 8)
        assert restored(storage, 7, storage.source.with_name("seven")) == before
        assert restored(storage, 8, storage.source.with_name("eight")) == after


def test_twenty_thousand_files(mount_disk: MountDisk) -> None:
    # In memory: to make so many files takes a disk longer than all the rest.
    root = mount_disk("512m")
    storage = Storage(root)
    for folder in range(100):
        (storage.source / f"{folder:02}").mkdir()
        for number in range(200):
            (storage.source / f"{folder:02}" / f"{number:03}").write_text(f"{folder} {number}")
    before = picture(storage.source)
    tree(storage, 7)
    (storage.source / "50" / "100").write_text("changed")
    tree(storage, 8)
    linked = sum(
        inode(path) == inode(storage.tree(7) / path.relative_to(storage.tree(8)))
        for path in everything(storage.tree(8))
        if path.is_file()
    )
    assert linked == 19_999
    assert restored(storage, 7, root / "out") == before


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        ("Format", "zip", "'zip' is none of archive, tree"),
        ("Unchanged", "size", "'size' is none of metadata, hash"),
        ("VerifyLinked", "101", "'101' is not a whole number from 0 to 100"),
        ("VerifyLinked", "-1", "'-1' is not a whole number from 0 to 100"),
        ("FilesPerSecond", "0", "'0' is not a whole number from 1"),
        ("OneFileSystem", "yes", "'yes' is neither true nor false"),
        ("Exclude", "!a", "the pattern '!a' cannot be used"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(
    storage: Storage, parameter: str, value: str, words: str
) -> None:
    with pytest.raises(ConfigInvalid, match=words) as refused:
        storage.backup(**{parameter: value})
    assert refused.value.field == parameter
    assert storage.kept() == []
