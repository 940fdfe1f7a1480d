"""Retention deletes what it should, all of it or nothing, and never anything else."""

import os
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import EPOCH, Storage, powerless
from workflows_app.domain.config import Config
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.filesystem.plugin import plugin


def name_of(number: int, base: str = "shop", policy: str = "daily") -> str:
    return f"{base}-{policy}-{number}-{EPOCH + number}"


def names(*numbers: int) -> list[str]:
    return sorted(name_of(number) for number in numbers)


def make(storage: Storage, *numbers: int) -> None:
    (storage.source / "file").write_text("content")
    for number in numbers:
        assert storage.backup(number).code == 0


def listed(storage: Storage) -> list[str]:
    return sorted(backup.name for backup in plugin.backup_list(storage.context()))


def test_the_surplus_goes_in_fossuls_words(storage: Storage) -> None:
    make(storage, 1, 2, 3, 4)
    assert storage.retain(2, number=4) == Result()
    assert storage.said == [
        (Level.INFO, "Number of backups [4] greater than backup retention [2]"),
        (Level.INFO, f"Deleting backup {name_of(2)}"),
        (Level.INFO, f"Backup {name_of(2)} deleted successfully"),
        (Level.INFO, "Number of backups [3] greater than backup retention [2]"),
        (Level.INFO, f"Deleting backup {name_of(1)}"),
        (Level.INFO, f"Backup {name_of(1)} deleted successfully"),
    ]
    assert storage.kept() == names(3, 4)


def test_no_surplus_is_said(storage: Storage) -> None:
    make(storage, 1, 2)
    assert storage.retain(2, number=2) == Result()
    assert storage.lines() == ["Backup deletion skipped, there are [2] backups but backup retention is [2]"]
    assert storage.kept() == names(1, 2)


def test_a_configuration_without_a_folder_has_no_surplus(storage: Storage) -> None:
    storage.destination.mkdir()
    assert storage.retain(1) == Result()
    assert storage.lines() == ["Backup deletion skipped, there are [0] backups but backup retention is [1]"]


def test_other_policies_names_and_configurations_are_not_touched(storage: Storage) -> None:
    make(storage, 1, 2, 3)
    storage.backup(4, policy="weekly")
    storage.backup(5, BackupName="shop-daily")
    storage.backup(6, BackupName="web")
    storage.backup(7, config=Config(profile_name="test", config_name="shop2"), BackupName="shop")
    storage.backup(8, config=Config(profile_name="prod", config_name="shop"))
    storage.retain(1, number=3)
    others = [name_of(4, policy="weekly"), name_of(5, base="shop-daily"), name_of(6, base="web")]
    assert storage.kept() == sorted([name_of(3), *others])
    assert (storage.destination / "test" / "shop2" / name_of(7)).is_dir()
    assert (storage.destination / "prod" / "shop" / name_of(8)).is_dir()


def test_a_name_of_its_own_has_a_retention_of_its_own(storage: Storage) -> None:
    make(storage, 1, 2)
    storage.backup(3, BackupName="web")
    storage.backup(4, BackupName="web")
    storage.retain(1, number=4, BackupName="web")
    assert storage.kept() == sorted([*names(1, 2), name_of(4, base="web")])


def test_the_runs_own_backup_stays_when_the_clock_was_set_back(storage: Storage) -> None:
    make(storage, 1, 8, 9)
    storage.retain(1, number=1)
    assert storage.kept() == names(1, 9)


def test_what_is_no_complete_backup_neither_counts_nor_goes(storage: Storage) -> None:
    make(storage, 1, 2, 3)
    storage.manifest(1).unlink()
    (storage.folder / "notes").mkdir()
    (storage.folder / ".deleted").mkdir()
    (storage.folder / ".mine.deleted").mkdir()
    storage.retain(1, number=3)
    assert storage.kept() == sorted([".deleted", ".mine.deleted", "notes", *names(1, 3)])


@pytest.mark.parametrize("keep", [0, -1])
def test_nobody_keeps_no_backup(storage: Storage, keep: int) -> None:
    make(storage, 1, 2)
    with pytest.raises(ConfigInvalid, match=f"^retentionNumber: {keep} is not how many"):
        storage.retain(keep, number=2)
    assert storage.kept() == names(1, 2)


@pytest.mark.parametrize(("number", "policy"), [(-1, "daily"), (2, ""), (2, "a-b")])
def test_a_call_that_tells_of_no_run_deletes_nothing(storage: Storage, number: int, policy: str) -> None:
    make(storage, 1, 2)
    with pytest.raises(ConfigInvalid):
        storage.retain(1, number=number, policy=policy)
    assert storage.kept() == names(1, 2)


@pytest.mark.parametrize("closed", ["", f"test/shop/{name_of(1)}", f"test/shop/{name_of(3)}"])
def test_a_list_that_cannot_be_read_deletes_nothing(open_storage: Storage, closed: str) -> None:
    make(open_storage, 1, 2, 3)
    hidden = open_storage.folder / f".{name_of(9)}.deleted"
    hidden.mkdir()
    for folder in [open_storage.folder, *open_storage.folder.iterdir()]:
        os.chown(folder, 65534, 65534)
    (open_storage.destination / closed).chmod(0)
    with powerless(), pytest.raises(PluginFailed, match="Cannot list the backups"):
        open_storage.retain(1, number=3)
    assert open_storage.kept() == [hidden.name, *names(1, 2, 3)]


def test_a_destination_that_is_gone_is_told(storage: Storage) -> None:
    with pytest.raises(PluginFailed, match="No such file or directory"):
        storage.retain(1)


def test_a_link_out_of_the_destination_is_not_followed(storage: Storage, tmp_path: Path) -> None:
    make(storage, 1, 2)
    elsewhere = tmp_path / "elsewhere"
    storage.folder.rename(elsewhere)
    storage.folder.symlink_to(elsewhere)
    with pytest.raises(PluginFailed, match="out of the destination"):
        storage.retain(1, number=2)
    assert sorted(path.name for path in elsewhere.iterdir()) == names(1, 2)


def test_links_in_a_backup_are_removed_and_not_what_they_lead_to(storage: Storage, tmp_path: Path) -> None:
    make(storage, 1, 2)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("content")
    (storage.folder / name_of(1) / "way").symlink_to(precious)
    storage.retain(1, number=2)
    assert storage.kept() == names(2)
    assert (precious / "file").read_text() == "content"


def readable(storage: Storage) -> None:
    """Let every user read the backups, and only root change them."""
    for path in [storage.destination, *storage.destination.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives folders to another user")


@needs_root
def test_a_backup_whose_folder_is_closed_stays_whole(open_storage: Storage) -> None:
    make(open_storage, 1, 2, 3)
    readable(open_storage)
    with powerless():
        assert open_storage.retain(1, number=3).code == 1
    assert open_storage.lines() == [
        "Number of backups [3] greater than backup retention [1]",
        f"Deleting backup {name_of(2)}",
    ]
    (error,) = open_storage.lines(Level.ERROR)
    assert error == (
        f"Backup {name_of(2)} delete failed! Permission denied in {open_storage.folder}. Check the "
        "permissions there for the worker's user (uid 65534); the next run tries again"
    )
    assert listed(open_storage) == names(1, 2, 3)


@needs_root
def test_a_backup_that_goes_by_half_is_gone_and_the_rest_goes_the_next_time(open_storage: Storage) -> None:
    make(open_storage, 1, 2)
    readable(open_storage)
    open_storage.folder.chmod(0o777)
    hidden = f".{name_of(1)}.deleted"

    with powerless():
        assert open_storage.retain(1, number=2).code == 1
    (error,) = open_storage.lines(Level.ERROR)
    assert error.startswith(f"Backup {name_of(1)} delete failed! Permission denied in ")
    assert listed(open_storage) == names(2)
    assert open_storage.kept() == [hidden, *names(2)]

    with powerless():
        assert open_storage.retain(1, number=2).code == 1
    assert open_storage.lines(Level.WARN) == [
        f"Removing what an interrupted deletion left of backup {name_of(1)}"
    ]
    assert open_storage.lines(Level.ERROR) == [error]

    assert open_storage.retain(1, number=2).code == 0
    assert open_storage.said == [
        (Level.WARN, f"Removing what an interrupted deletion left of backup {name_of(1)}"),
        (Level.INFO, "Backup deletion skipped, there are [1] backups but backup retention is [1]"),
    ]
    assert open_storage.kept() == names(2)


def test_a_cancel_is_heard_between_two_deletions(storage: Storage) -> None:
    make(storage, 1, 2, 3)
    storage.cancelled = lambda: any("deleted successfully" in text for text in storage.lines())
    with pytest.raises(Cancelled):
        storage.retain(1, number=3)
    assert storage.kept() == names(1, 3)


def test_the_list_has_every_policy_and_name_and_needs_no_source(storage: Storage) -> None:
    made = [storage.backup(1).backup, storage.backup(2, policy="weekly", BackupName="web").backup]
    assert list(plugin.backup_list(storage.context(BackupSrcPaths=""))) == made


def test_there_is_nothing_to_mount(storage: Storage) -> None:
    context = storage.context()
    assert plugin.unmount(context) == plugin.mount(context) == plugin.unmount(context) == Result()
    assert storage.lines() == [
        "Unmount not implemented or required",
        "Mount not implemented or required",
        "Unmount not implemented or required",
    ]
