"""Backups and targets that try to lead a restore to where it has no business."""

import os
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.restoring import Restoring, made, make_backup
from tests.plugins.filesystem.trees import names_in, picture
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.filesystem.members import Member


@pytest.fixture
def restoring(storage: Storage) -> Restoring:
    return Restoring(storage)


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A folder that no restore may touch."""
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "file").write_text("precious")
    (folder / "file").chmod(0o640)
    return folder


def inside(storage: Storage, path: str) -> str:
    return f"{storage.source}/{path}".lstrip("/")


@pytest.mark.parametrize(
    "path",
    ["{precious}/evil", "{source}/../precious/evil", "/{source}/evil", "{source}/./evil", "{source}//evil",
     "../evil", "{source}-evil", "{source}/e\0vil", "evil", "{source}/.."],
)  # fmt: skip
def test_a_member_outside_of_the_sources_is_refused_with_all_the_rest(
    restoring: Restoring, precious: Path, tmp_path: Path, path: str
) -> None:
    storage = restoring.storage
    path = path.format(source=str(storage.source)[1:], precious=str(precious)[1:])
    content = b"evil"
    make_backup(storage, [(made(inside(storage, "a"), content=content), content), (made(path), b"")])
    before = picture(precious)
    for target in ("", tmp_path / "out"):
        with pytest.raises(PluginFailed, match="does not lie in what was backed up"):
            restoring.restore(target=target)
    assert picture(precious) == before
    assert names_in(storage.source) == []
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("source", ["relative", "/a/../b", "/", "/a//b"])
def test_sources_that_are_no_real_paths_are_refused(restoring: Restoring, source: str) -> None:
    make_backup(restoring.storage, [], sources=(source,))
    with pytest.raises(PluginFailed, match="its sources are no absolute paths"):
        restoring.restore()


def test_a_hard_link_to_something_outside_is_refused(restoring: Restoring, precious: Path) -> None:
    storage = restoring.storage
    link = made(inside(storage, "link"), "hardlink", link=f"{precious}/file"[1:])
    make_backup(storage, [(link, b"")])
    with pytest.raises(PluginFailed, match="does not lie in what was backed up"):
        restoring.restore()
    assert (precious / "file").stat().st_nlink == 1


def test_a_hard_link_to_a_link_is_that_link_and_not_what_it_leads_to(
    restoring: Restoring, precious: Path
) -> None:
    storage = restoring.storage
    members = [
        (made(inside(storage, "a"), "symlink", link=f"{precious}/file"), b""),
        (made(inside(storage, "b"), "hardlink", link=inside(storage, "a")), b""),
    ]
    make_backup(storage, members)
    restoring.restore()
    assert (precious / "file").stat().st_nlink == 1
    assert (storage.source / "b").is_symlink()


def test_no_member_goes_through_a_link_that_the_archive_made(restoring: Restoring, precious: Path) -> None:
    storage = restoring.storage
    members: list[tuple[Member, bytes]] = [
        (made(inside(storage, "link"), "symlink", link=str(precious)), b""),
        (made(inside(storage, "link/file"), content=b"evil"), b"evil"),
        (made(inside(storage, "link/new"), "directory"), b""),
        (made(inside(storage, "link/pipe"), "fifo"), b""),
        (made(inside(storage, "stolen"), "hardlink", link=inside(storage, "link/file")), b""),
    ]
    before = picture(precious)
    make_backup(storage, members)
    assert restoring.restore().code == 1
    assert picture(precious) == before
    assert names_in(storage.source) == ["link"]
    errors = restoring.lines(Level.ERROR)
    assert errors[0] == (
        f"Cannot restore {storage.source}/link/file: a link or a file is on the way to it, where a folder was"
    )
    assert len(errors) == 5


def test_a_link_made_by_the_archive_gives_way_to_a_folder_of_its_name(
    restoring: Restoring, precious: Path
) -> None:
    storage = restoring.storage
    members: list[tuple[Member, bytes]] = [
        (made(inside(storage, "link"), "symlink", link=str(precious)), b""),
        (made(inside(storage, "link"), "directory", mode=0o777), b""),
        (made(inside(storage, "link/file"), content=b"mine"), b"mine"),
    ]
    before = picture(precious)
    make_backup(storage, members)
    assert restoring.restore().code == 0
    assert picture(precious) == before
    assert (storage.source / "link" / "file").read_text() == "mine"


def test_a_link_in_the_way_is_replaced_and_not_followed(restoring: Restoring, precious: Path) -> None:
    source = restoring.storage.source
    (source / "folder").mkdir()
    (source / "folder" / "file").write_text("backed up")
    (source / "file").write_text("backed up")
    (source / "file").chmod(0o777)
    restoring.storage.backup()
    before = picture(source)
    (source / "folder" / "file").unlink()
    (source / "folder").rmdir()
    (source / "folder").symlink_to(precious)
    (source / "file").unlink()
    (source / "file").symlink_to(precious / "file")
    (source / ".restore-90.partial").symlink_to(precious / "file")
    outside = picture(precious)
    assert restoring.restore().code == 0
    assert picture(precious) == outside
    assert picture(source) == before


def test_a_folder_that_turns_into_a_link_meanwhile_is_not_followed(
    restoring: Restoring, precious: Path
) -> None:
    storage = restoring.storage
    (storage.source / "a").mkdir()
    (storage.source / "a" / "file").write_bytes(os.urandom(1000))
    (storage.source / "b").write_bytes(os.urandom(1000))
    (storage.source / "c").hardlink_to(storage.source / "a" / "file")
    storage.backup()
    outside = picture(precious)

    def turn(text: str) -> None:
        if text.startswith("Restored 50 %"):
            (storage.source / "a").rename(storage.source / "moved")
            (storage.source / "a").symlink_to(precious)

    restoring.on_line = turn
    assert restoring.restore().code == 1
    assert picture(precious) == outside
    assert restoring.lines(Level.ERROR)[0].startswith(f"Cannot restore {storage.source}/c: a link or a file")


def test_a_time_that_no_disk_can_hold_is_an_error_of_that_file(restoring: Restoring) -> None:
    storage = restoring.storage
    late = made(inside(storage, "late"))
    make_backup(
        storage,
        [(made(inside(storage, "fine")), b""), (late._replace(mtime_ns=10**40), b"")],
    )
    assert restoring.restore().code == 1
    assert names_in(storage.source) == ["fine"]
    assert restoring.lines(Level.ERROR)[0].startswith(f"Cannot restore {storage.source}/late: ")


def test_an_open_file_that_is_replaced_keeps_what_it_had(restoring: Restoring) -> None:
    file = restoring.storage.source / "file"
    file.write_text("old")
    restoring.storage.backup()
    file.write_text("new")
    with file.open() as opened:
        restoring.restore()
        assert opened.read() == "new"
    assert file.read_text() == "old"
