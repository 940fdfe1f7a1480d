import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.saving import tree, verify
from tests.plugins.filesystem.trees import names_in
from workflows_app.plugins.filesystem.plugin import plugin
from workflows_app.plugins.filesystem.removal import remove_folder


@pytest.fixture
def many_open_files() -> Iterator[None]:
    """Each level of a deep tree is open at once, in up to four places."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def make_deep(root: Path, depth: int) -> None:
    """Folders in each other, further down than any path can say, and a file at the bottom."""
    folder = os.open(root, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("deeper", dir_fd=folder)
        below = os.open("deeper", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(os.open("bottom", os.O_CREAT, dir_fd=folder))
    os.close(folder)


def test_a_tree_deeper_than_any_path_is_backed_up_verified_and_deleted(
    storage: Storage, many_open_files: None
) -> None:
    make_deep(storage.source, 1000)
    tree(storage, 7)
    tree(storage, 8)
    verify(storage, 8)
    assert storage.retain(keep=1, number=8).code == 0
    assert [backup.workflow_id for backup in plugin.backup_list(storage.context())] == ["8"]
    assert len(storage.kept()) == 1
    # The source must not be in the way of pytest's own clearing up.
    remove_folder(storage.source / "deeper")
    remove_folder(storage.destination)


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").touch()
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "theirs")
    remove_folder(tmp_path / "mine")
    assert names_in(tmp_path) == ["theirs"]
    assert names_in(tmp_path / "theirs") == ["file"]
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    with pytest.raises(NotADirectoryError):
        remove_folder(tmp_path / "link")


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        remove_folder(tmp_path / "gone")
