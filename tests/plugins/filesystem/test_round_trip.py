import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.trees import (
    TREES,
    Picture,
    add_socket,
    make_nasty_tree,
    names_in,
    picture,
    plant,
    unpack_with_python,
    unpack_with_tar,
)
from workflows_app.domain.results import Level


def restored(target: Path, source: Path) -> Path:
    """Where a source is below the folder that its archive was unpacked in."""
    return target / str(source).lstrip("/")


def timeless(pictures: dict[str, Picture]) -> dict[str, Picture]:
    return {path: replace(picture, mtime_ns=0) for path, picture in pictures.items()}


def test_gnu_tar_restores_a_nasty_tree_as_it_was(storage: Storage, tmp_path: Path) -> None:
    make_nasty_tree(storage.source)
    before = picture(storage.source)
    storage.backup()
    unpack_with_tar(storage.archive(), tmp_path / "out")
    assert picture(restored(tmp_path / "out", storage.source)) == before
    assert storage.lines(Level.WARN) == [
        f"The destination {storage.destination} does not exist; it is created"
    ]


def test_python_restores_a_nasty_tree_as_it_was(storage: Storage, tmp_path: Path) -> None:
    make_nasty_tree(storage.source)
    before = picture(storage.source)
    storage.backup()
    unpack_with_python(storage.archive(), tmp_path / "out")
    after = picture(restored(tmp_path / "out", storage.source))
    assert timeless(after) == timeless(before)
    # Python's tarfile restores times through a float, and those of links not at all.
    inexact = [
        path
        for path, was in before.items()
        if not stat.S_ISLNK(was.mode) and abs(after[path].mtime_ns - was.mtime_ns) > 1000
    ]
    assert inexact == []


@pytest.mark.parametrize("unpack", [unpack_with_tar, unpack_with_python])
def test_holes_are_neither_stored_nor_filled(
    storage: Storage, tmp_path: Path, unpack: Callable[[Path, Path], None]
) -> None:
    size = 200 * 1024 * 1024
    with (storage.source / "sparse").open("wb") as file:
        file.seek(size // 2)
        file.write(b"data")
        file.truncate(size)
    if (storage.source / "sparse").stat().st_blocks * 512 > size // 2:
        pytest.skip("this filesystem has no holes")
    storage.backup()
    unpack(storage.archive(), tmp_path / "out")
    status = (restored(tmp_path / "out", storage.source) / "sparse").stat()
    assert status.st_size == size
    assert status.st_blocks * 512 < 1024 * 1024
    assert storage.archive().stat().st_size < 4096


def test_several_sources_of_which_one_is_a_file_share_one_archive(storage: Storage, tmp_path: Path) -> None:
    (storage.source / "a").mkdir()
    (storage.source / "a" / "file").write_text("in a folder")
    (storage.source / "b").write_text("a file")
    result = storage.backup(BackupSrcPaths=f"{storage.source}/b, {storage.source}/a/,")
    unpack_with_tar(storage.archive(), tmp_path / "out")
    out = restored(tmp_path / "out", storage.source)
    assert (out / "a" / "file").read_text() == "in a folder"
    assert (out / "b").read_text() == "a file"
    assert [content.source for content in result.backup.contents] == [
        f"{storage.source}/b",
        f"{storage.source}/a",
    ]


def test_a_socket_is_left_out_and_named(storage: Storage, tmp_path: Path) -> None:
    (storage.source / "file").write_text("content")
    add_socket(storage.source / "app.sock")
    storage.backup()
    unpack_with_tar(storage.archive(), tmp_path / "out")
    assert names_in(restored(tmp_path / "out", storage.source)) == ["file"]
    assert f"{storage.source}/app.sock: a socket, which no archive can hold; it is left out" in storage.lines(
        Level.WARN
    )


def test_a_link_as_source_is_followed_and_that_is_said(storage: Storage, tmp_path: Path) -> None:
    (storage.source / "file").write_text("content")
    (tmp_path / "alias").symlink_to(storage.source)
    result = storage.backup(BackupSrcPaths=f"{tmp_path}/alias")
    unpack_with_tar(storage.archive(), tmp_path / "out")
    assert (restored(tmp_path / "out", storage.source) / "file").read_text() == "content"
    assert f"The source {tmp_path}/alias is really {storage.source}: that is what is backed up" in (
        storage.lines()
    )
    assert result.backup.contents[0].source == str(storage.source)


def test_the_same_tree_makes_the_same_archive(storage: Storage) -> None:
    make_nasty_tree(storage.source)
    storage.backup(1, CompressionThreads="1")
    storage.backup(2, CompressionThreads="1")
    assert storage.archive(1).read_bytes() == storage.archive(2).read_bytes()


@given(tree=TREES)
@settings(max_examples=40, deadline=None)
def test_any_tree_comes_back(tree: dict[bytes, object]) -> None:
    with TemporaryDirectory() as folder:
        storage = Storage(Path(folder).resolve())
        plant(storage.source, tree)
        before = picture(storage.source)
        storage.backup(CompressionLevel="1", CompressionThreads="1")
        unpack_with_tar(storage.archive(), storage.destination / "out")
        assert picture(restored(storage.destination / "out", storage.source)) == before
