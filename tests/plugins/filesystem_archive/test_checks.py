"""The test of the archive plugin filesystem."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.archiving.archived import Archiving, contents
from tests.plugins.filesystem.conftest import Storage
from tests.plugins.findings import bad, words
from workflows_app.domain.findings import Finding, FindingState
from workflows_app.plugins.filesystem_archive import check as module
from workflows_app.plugins.filesystem_archive.plugin import plugin


@pytest.fixture
def archiving(storage: Storage) -> Archiving:
    root = storage.destination.parent / "archives"
    root.mkdir()
    storage.destination.mkdir()
    (storage.source / "file").write_bytes(b"content")
    return Archiving(storage, plugin, {"ArchivePath": str(root)})


def look(archiving: Archiving, storage_plugin: str = "filesystem", **parameters: str) -> tuple[Finding, ...]:
    context = archiving.context(**parameters)
    config = context.config.model_copy(update={"storage_plugin": storage_plugin})
    return plugin.check(replace(context, config=config))


def test_all_that_an_archive_needs_is_good_and_nothing_is_changed(archiving, monkeypatch):
    archiving.make(7)
    # In a test both are on one disk.
    monkeypatch.setattr(module, "shares_disk", lambda context, root: False)
    root = Path(archiving.parameters["ArchivePath"])
    before = contents(root)
    found = look(archiving)
    assert {each.state for each in found} == {FindingState.GOOD}, found
    assert f"{root} has 1 archives of this configuration" in words(found, FindingState.GOOD)
    assert contents(root) == before


def test_an_archive_on_the_disk_of_the_backups_is_doubtful(archiving: Archiving):
    assert "on the same disk as the backups" in words(look(archiving), FindingState.WARN, "ArchivePath")


def test_a_folder_that_is_missing_or_not_a_mount_is_bad(archiving: Archiving):
    assert "does not exist" in bad(look(archiving, ArchivePath="/no/such/place"), "ArchivePath")
    assert "Nothing is mounted" in bad(look(archiving, RequireMount="true"), "ArchivePath")
    assert "is not an absolute path" in bad(look(archiving, ArchivePath="there"), "ArchivePath")


def test_archives_in_the_backups_are_bad(archiving: Archiving):
    place = str(archiving.storage.destination)
    assert "lie in each other" in bad(look(archiving, ArchivePath=place), "ArchivePath")


def test_without_a_storage_there_is_nothing_to_archive(archiving: Archiving):
    assert "No storage plugin is chosen" in bad(look(archiving, storage_plugin=""))
