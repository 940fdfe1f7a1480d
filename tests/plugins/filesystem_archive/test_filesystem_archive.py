"""The archive plugin ``filesystem``: whole copies on another disk, and what happens when it goes wrong."""

import os
import shutil
from pathlib import Path

import pytest

from tests.plugins.archiving.archived import Archiving, contents, name_of
from tests.plugins.conftest import MountDisk
from tests.plugins.filesystem.conftest import Storage, powerless
from tests.plugins.filesystem.restoring import Restoring
from tests.plugins.filesystem.trees import MiB, names_in, picture
from workflows_app.domain.config import Config
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem_archive.plugin import plugin

RECORD = ".fossul-archive.jsonl"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's rights")


def archiving_in(storage: Storage) -> Archiving:
    root = storage.destination.parent / "archives"
    root.mkdir()
    (storage.source / "folder").mkdir()
    (storage.source / "folder" / "file").write_bytes(os.urandom(3 * MiB))
    return Archiving(storage, plugin, {"ArchivePath": str(root)})


@pytest.fixture
def archiving(storage: Storage) -> Archiving:
    return archiving_in(storage)


def folder_of(archiving: Archiving) -> Path:
    return Path(archiving.parameters["ArchivePath"]) / "test" / "shop"


def kept(archiving: Archiving) -> list[str]:
    return names_in(folder_of(archiving)) if folder_of(archiving).exists() else []


def test_an_archive_is_the_backup_byte_by_byte(archiving: Archiving) -> None:
    backup = archiving.backup()
    assert archiving.archive() == Result()
    copy = folder_of(archiving) / name_of(7)
    archived = contents(copy)
    assert archived.pop(RECORD)
    assert archived == contents(backup)
    assert kept(archiving) == [name_of(7)]
    assert archiving.listed() == [name_of(7)]


def test_the_way_of_an_archive_is_told(archiving: Archiving) -> None:
    archiving.backup()
    archiving.archive()
    assert archiving.lines()[:2] == [
        "Performing archive",
        f"Archive name is {name_of(7)}, Archive path is {folder_of(archiving)}",
    ]
    assert archiving.lines()[-1].startswith(f"Archive {name_of(7)} completed: 2 files, 3.0 MiB, verified")
    assert "Archived 100 %" in archiving.lines()[-2]
    (warning,) = archiving.lines(Level.WARN)
    assert "is on the same disk as the backups" in warning
    reports = [report for report in archiving.reports if report.note == "archiving"]
    assert reports[-1].done_bytes == reports[-1].total_bytes > 3 * MiB
    assert (reports[-1].done_files, reports[-1].total_files) == (2, 2)
    assert archiving.reports[-1].note == "verifying"
    assert archiving.reports[-1].done_bytes == reports[-1].done_bytes


def test_a_fetched_archive_is_the_backup_and_can_be_restored(archiving: Archiving, tmp_path: Path) -> None:
    backup = archiving.backup()
    archiving.archive()
    before, source = contents(backup), picture(archiving.storage.source)
    shutil.rmtree(backup)

    result = archiving.fetch(name_of(7))
    assert (result.code, result.backup.name, result.backup.workflow_id) == (0, name_of(7), "7")
    assert contents(backup) == before
    assert names_in(archiving.storage.folder) == [name_of(7)]

    target = tmp_path / "restored"
    target.mkdir()
    assert Restoring(archiving.storage).restore(7, target=target).code == 0
    assert picture(target / str(archiving.storage.source).lstrip("/")) == source


def test_a_tree_of_files_is_archived_with_its_empty_folders(archiving: Archiving) -> None:
    tree = archiving.storage.folder / name_of(7)
    (tree / "data" / "empty").mkdir(parents=True)
    (tree / "data" / os.fsdecode(b"odd-\xff")).write_bytes(b"content")
    (tree / "none").touch()
    archiving.archive()
    before = contents(tree)
    shutil.rmtree(tree)
    archiving.fetch(name_of(7))
    assert contents(tree) == before


def test_a_link_in_the_backup_is_refused(archiving: Archiving) -> None:
    backup = archiving.backup()
    (backup / "link").symlink_to("/etc/passwd")
    with pytest.raises(PluginFailed, match="link is neither a file nor a folder"):
        archiving.archive()
    assert kept(archiving) == []


def test_a_damaged_backup_is_not_archived(archiving: Archiving) -> None:
    archiving.backup()
    packed = archiving.storage.archive()
    with packed.open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    with pytest.raises(
        PluginFailed, match="which its manifest says: the backup is damaged and is not archived"
    ):
        archiving.archive()
    assert kept(archiving) == []


def test_a_backup_that_is_not_there_is_named(archiving: Archiving) -> None:
    with pytest.raises(PluginFailed, match=f"There is no backup .*/{name_of(7)} to archive"):
        archiving.archive()


def test_an_archive_is_never_replaced(archiving: Archiving) -> None:
    archiving.make(7)
    before = contents(folder_of(archiving))
    with pytest.raises(PluginFailed, match=r"There is an archive .* already"):
        archiving.archive()
    assert contents(folder_of(archiving)) == before


@pytest.mark.parametrize("note", ["archiving", "verifying"])
def test_a_cancelled_archive_leaves_nothing(archiving: Archiving, note: str) -> None:
    archiving.backup()
    archiving.cancel_when_reported(note)
    with pytest.raises(Cancelled):
        archiving.archive()
    assert kept(archiving) == []


def test_what_a_killed_worker_left_is_removed_with_a_warning(archiving: Archiving) -> None:
    archiving.make(6)
    half = folder_of(archiving) / f".{name_of(5)}.partial"
    half.mkdir()
    (half / "file").write_text("half")
    (folder_of(archiving) / f".{name_of(4)}.deleted").mkdir()
    (folder_of(archiving) / ".mine.partial").mkdir()
    archiving.backup(7)
    archiving.archive(7)
    removed = [text for text in archiving.lines(Level.WARN) if "Removing" in text]
    assert [text.rsplit(" ", 1)[1] for text in removed] == [name_of(4), name_of(5)]
    assert kept(archiving) == sorted([".mine.partial", name_of(6), name_of(7)])


def test_a_full_disk_is_named_before_and_while_it_fills(
    archiving: Archiving, mount_disk: MountDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_disk = mount_disk("2m")
    archiving.backup()
    archiving.parameters["ArchivePath"] = str(small_disk)
    with pytest.raises(PluginFailed, match=r"Not enough space for .* in ArchivePath"):
        archiving.archive()
    assert kept(archiving) == []
    # What looks free may be gone when it is needed.
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1 << 40, 0, 1 << 40))
    with pytest.raises(PluginFailed, match=r"No space left on device. Check the space .* of ArchivePath"):
        archiving.archive()
    assert kept(archiving) == []
    assert archiving.listed() == []


def test_a_disk_that_is_not_mounted_is_named(archiving: Archiving, mount_disk: MountDisk) -> None:
    small_disk = mount_disk("2m")
    archiving.backup()
    with pytest.raises(PluginFailed, match=r"Nothing is mounted at .*archives"):
        archiving.archive(RequireMount="true")
    (archiving.storage.folder / name_of(7) / f"{name_of(7)}.tar.zst").stat()
    archiving.parameters["ArchivePath"] = str(small_disk)
    assert archiving.plugin.archive_list(archiving.context(RequireMount="true")) == ()
    archiving.parameters["ArchivePath"] = str(small_disk / "gone")
    with pytest.raises(PluginFailed, match=r"The archive folder .*gone does not exist"):
        archiving.archive()


@needs_root
def test_a_folder_that_may_not_be_written_is_named(open_storage: Storage) -> None:
    archiving = archiving_in(open_storage)
    archiving.backup()
    for path in open_storage.destination.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    with powerless(), pytest.raises(PluginFailed, match=r"Cannot write .*Permission denied.*uid 65534"):
        archiving.archive()
    assert kept(archiving) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("ArchivePath", ""), ("ArchivePath", "relative"), ("ArchivePath", "/a\0b"), ("RequireMount", "maybe")],
)
def test_a_wrong_parameter_is_named(archiving: Archiving, name: str, value: str) -> None:
    archiving.backup()
    with pytest.raises(ConfigInvalid) as refused:
        archiving.archive(**{name: value})
    assert refused.value.field == name


@pytest.mark.parametrize("inner", ["", "inner", ".."])
def test_archives_and_backups_do_not_lie_in_each_other(archiving: Archiving, inner: str) -> None:
    archiving.backup()
    with pytest.raises(ConfigInvalid, match=r"^ArchivePath: .* lie in each other"):
        archiving.archive(ArchivePath=str(archiving.storage.destination / inner))


def test_the_surplus_goes_in_fossuls_words_and_nothing_else(archiving: Archiving) -> None:
    archiving.make(1, 2, 3)
    archiving.make(4, policy="weekly")
    archiving.make(5, base="web")
    assert archiving.retain(2, 3) == Result()
    assert archiving.said == [
        (Level.INFO, "Number of archives [3] greater than archive retention [2]"),
        (Level.INFO, f"Deleting archive {name_of(1)}"),
        (Level.INFO, f"Archive {name_of(1)} deleted successfully"),
    ]
    others = [name_of(4, "weekly"), name_of(5, base="web")]
    assert kept(archiving) == sorted([name_of(2), name_of(3), *others])
    archiving.retain(2, 3)
    assert archiving.lines() == [
        "Archive deletion skipped, there are [2] archives but archive retention is [2]"
    ]


def test_a_policy_without_archive_retention_keeps_all(archiving: Archiving) -> None:
    archiving.make(1, 2)
    assert archiving.retain(-1, 2) == Result()
    (warning,) = archiving.lines(Level.WARN)
    assert "no archive retention: all [2] archives are kept" in warning
    assert archiving.listed() == [name_of(1), name_of(2)]


def test_a_retention_of_none_deletes_nothing(archiving: Archiving) -> None:
    archiving.make(1, 2)
    with pytest.raises(ConfigInvalid, match=r"^archiveRetentions: 0"):
        archiving.retain(0, 2)
    assert archiving.listed() == [name_of(1), name_of(2)]


def test_what_is_no_complete_archive_neither_counts_nor_goes(archiving: Archiving) -> None:
    archiving.make(1, 2, 3)
    (folder_of(archiving) / name_of(1) / RECORD).unlink()
    (folder_of(archiving) / "notes").mkdir()
    assert archiving.listed() == [name_of(2), name_of(3)]
    archiving.retain(1, 3)
    assert kept(archiving) == sorted(["notes", name_of(1), name_of(3)])


@needs_root
def test_a_list_that_cannot_be_read_deletes_nothing(open_storage: Storage) -> None:
    archiving = archiving_in(open_storage)
    archiving.make(1, 2)
    folder_of(archiving).chmod(0)
    with powerless(), pytest.raises(PluginFailed, match=r"Cannot list the archives .*Permission denied"):
        archiving.retain(1, 2)
    folder_of(archiving).chmod(0o755)
    assert kept(archiving) == [name_of(1), name_of(2)]


@needs_root
def test_an_archive_that_cannot_be_deleted_stays_whole_and_is_told(open_storage: Storage) -> None:
    archiving = archiving_in(open_storage)
    archiving.make(1, 2)
    for path in [folder_of(archiving), *folder_of(archiving).rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    with powerless():
        assert archiving.retain(1, 2).code == 1
    (error,) = archiving.lines(Level.ERROR)
    assert error.startswith(f"Archive {name_of(1)} delete failed! Cannot delete archive {name_of(1)} in ")
    assert archiving.listed() == [name_of(1), name_of(2)]


def test_a_fetch_never_replaces_a_backup(archiving: Archiving) -> None:
    archiving.make(7)
    before = contents(archiving.storage.folder)
    with pytest.raises(PluginFailed, match=r"There is a backup .* already, which is left as it is"):
        archiving.fetch(name_of(7))
    assert contents(archiving.storage.folder) == before


def test_a_damaged_archive_is_not_fetched(archiving: Archiving) -> None:
    archiving.make(7)
    shutil.rmtree(archiving.storage.folder / name_of(7))
    packed = folder_of(archiving) / name_of(7) / f"{name_of(7)}.tar.zst"
    with packed.open("r+b") as file:
        file.write(b"damage")
    with pytest.raises(PluginFailed, match="the archive is damaged"):
        archiving.fetch(name_of(7))
    assert names_in(archiving.storage.folder) == []


def test_a_cancelled_fetch_leaves_nothing(archiving: Archiving) -> None:
    archiving.make(7)
    shutil.rmtree(archiving.storage.folder / name_of(7))
    archiving.cancel_when_reported("fetching")
    with pytest.raises(Cancelled):
        archiving.fetch(name_of(7))
    assert names_in(archiving.storage.folder) == []


def test_what_an_interrupted_fetch_left_is_replaced(archiving: Archiving) -> None:
    archiving.make(7)
    backup = archiving.storage.folder / name_of(7)
    half = archiving.storage.folder / f".{name_of(7)}.fetched"
    backup.rename(half)
    archiving.fetch(name_of(7))
    assert names_in(archiving.storage.folder) == [name_of(7)]
    assert archiving.lines(Level.WARN) == [f"Removing {half}, which an interrupted fetch left behind"]


@pytest.mark.parametrize("name", ["", "notes", "../x-daily-7-1", "a/b-daily-7-1", ".x-daily-7-1"])
def test_what_is_no_name_of_an_archive_is_refused(archiving: Archiving, name: str) -> None:
    with pytest.raises(ConfigInvalid, match="is not the name of an archive"):
        archiving.fetch(name)


def test_an_archive_that_is_not_there_is_named(archiving: Archiving) -> None:
    with pytest.raises(PluginFailed, match=f"There is no complete archive {name_of(8)}"):
        archiving.fetch(name_of(8))


def test_links_in_an_archive_are_not_followed(archiving: Archiving, tmp_path: Path) -> None:
    archiving.make(7)
    shutil.rmtree(archiving.storage.folder / name_of(7))
    packed = folder_of(archiving) / name_of(7) / f"{name_of(7)}.tar.zst"
    packed.rename(tmp_path / "elsewhere")
    packed.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PluginFailed, match="Cannot read"):
        archiving.fetch(name_of(7))
    assert names_in(archiving.storage.folder) == []


def test_a_name_that_leads_out_is_refused(archiving: Archiving) -> None:
    context = archiving.context()
    hostile = PluginContext(
        config=Config(profile_name="..", config_name="shop"), parameters=context.parameters, say=context.say
    )
    with pytest.raises(ConfigInvalid, match="profileName"):
        plugin.archive_list(hostile)
