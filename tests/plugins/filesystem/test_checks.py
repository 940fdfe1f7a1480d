"""The test of the filesystem plugin: sources, destination and parameters, without a run."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import Storage, powerless
from tests.plugins.filesystem.trees import picture
from tests.plugins.findings import all_good, bad, words
from workflows_app.domain.config import Config
from workflows_app.domain.findings import Finding, FindingState
from workflows_app.plugins.filesystem import folder_check
from workflows_app.plugins.filesystem.plugin import plugin


def look(storage: Storage, *, discovers: bool = False, **parameters: str) -> tuple[Finding, ...]:
    context = storage.context(**parameters)
    config = Config(profile_name="test", config_name="shop", auto_discovery=discovers)
    return plugin.check(replace(context, config=config))


@pytest.fixture
def ready(storage: Storage) -> Storage:
    """A storage of which all is there."""
    (storage.source / "file").write_bytes(b"content")
    storage.destination.mkdir()
    return storage


def test_all_that_a_backup_needs_is_good_and_nothing_is_changed(ready: Storage, tmp_path: Path):
    before = picture(tmp_path)
    found = look(ready)
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert f"{ready.source} can be read: a folder with 1 entry" in told
    assert f"{ready.destination} can be written" in told
    assert "are free at" in told
    assert picture(tmp_path) == before


def test_each_source_is_told_by_itself(ready: Storage, tmp_path: Path):
    file = ready.source / "file"
    missing, pipe = tmp_path / "missing", tmp_path / "pipe"
    os.mkfifo(pipe)
    found = look(ready, BackupSrcPaths=f"{file},{missing},{pipe}")
    assert f"{file} can be read: a file" in words(found, FindingState.GOOD, "BackupSrcPaths")
    told = bad(found, "BackupSrcPaths")
    assert f"Cannot read the source {missing}: No such file or directory" in told
    assert f"{pipe} is neither a directory nor a regular file" in told


def test_a_source_that_the_worker_may_not_read_is_told(open_storage: Storage):
    open_storage.source.chmod(0o700)
    with powerless():
        found = look(open_storage)
    assert f"{open_storage.source} cannot be read: Permission denied" in bad(found, "BackupSrcPaths")


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        ("{source},{source}", "is given twice"),
        ("{source},{source}/folder", "would be backed up twice"),
        ("{destination}", "lie in each other"),
        ("{root}", "lie in each other"),
    ],
)
def test_sources_that_no_backup_can_have_are_told(ready: Storage, tmp_path: Path, paths: str, why: str):
    (ready.source / "folder").mkdir()
    given = paths.format(source=ready.source, destination=ready.destination, root=tmp_path)
    assert why in bad(look(ready, BackupSrcPaths=given), "BackupSrcPaths")


def test_a_link_is_told_of_and_a_missing_destination_too(storage: Storage, tmp_path: Path):
    (tmp_path / "link").symlink_to(storage.source)
    found = look(storage, BackupSrcPaths=str(tmp_path / "link"))
    assert bad(found) == ""
    assert f"is really {storage.source}" in words(found, FindingState.WARN, "BackupSrcPaths")
    assert "does not exist; a run makes it" in words(found, FindingState.WARN, "BackupDestPath")
    assert not storage.destination.exists()


@pytest.mark.parametrize("place", ["/proc/backups", "{source}/file/below"])
def test_a_destination_that_cannot_be_written_is_bad(ready: Storage, place: str):
    found = look(ready, BackupDestPath=place.format(source=ready.source), BackupSrcPaths="/bin")
    assert bad(found, "BackupDestPath")


def test_a_destination_of_another_user_is_bad(open_storage: Storage):
    open_storage.destination.chmod(0o755)
    with powerless():
        found = look(open_storage)
    assert "cannot be written: Permission denied" in bad(found, "BackupDestPath")


def test_a_disk_that_is_nearly_full_is_doubtful(ready: Storage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(folder_check, "FULL", 0.0)
    assert "make room" in words(look(ready), FindingState.WARN, "BackupDestPath")


def test_room_for_another_backup_like_the_newest_is_looked_for(ready: Storage, monkeypatch):
    ready.backup()
    assert "It has 1 backups of this configuration" in words(look(ready), FindingState.GOOD)
    usage = folder_check.shutil.disk_usage(ready.destination)._replace(free=1)
    monkeypatch.setattr(folder_check.shutil, "disk_usage", lambda path: usage)
    assert "the newest backup has" in words(look(ready), FindingState.WARN, "BackupDestPath")


def test_all_mistakes_of_the_parameters_are_told_at_once(ready: Storage):
    found = look(ready, CompressionLevel="20", CompressionThreads="many", BandwidthLimit="fast")
    told = {each.parameter for each in found if each.state is FindingState.BAD}
    assert told == {"CompressionLevel", "CompressionThreads", "BandwidthLimit"}
    assert f"{ready.source} can be read" in words(found, FindingState.GOOD)


@pytest.mark.parametrize("name", ["BackupSrcPaths", "BackupDestPath"])
def test_what_is_missing_is_told_by_name(ready: Storage, name: str):
    assert "is empty" in bad(look(ready, **{name: ""}), name)
    assert "is not an absolute path" in bad(look(ready, **{name: "relative"}), name)


def test_what_will_be_discovered_is_not_known(ready: Storage):
    found = look(ready, discovers=True)
    assert "discovered by the application's plugin" in words(found, FindingState.UNKNOWN, "BackupSrcPaths")
    assert bad(found) == ""
    assert f"{ready.destination} can be written" in words(found, FindingState.GOOD)
