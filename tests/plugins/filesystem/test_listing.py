import pytest

from tests.plugins.filesystem.conftest import EPOCH, Storage, powerless
from tests.plugins.filesystem.trees import odd
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.listing import list_backups


def test_the_backups_that_were_made_are_listed_as_they_were_answered(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    made = [storage.backup(number).backup for number in (9, 10, 8)]
    assert list_backups(storage.destination, "test", "shop") == (made[2], made[0], made[1])


def test_a_name_may_have_dashes_and_numbers(storage: Storage) -> None:
    backup = storage.backup(BackupName="web-shop-2-1").backup
    (listed,) = list_backups(storage.destination, "test", "shop")
    assert listed == backup
    assert (listed.policy, listed.workflow_id, listed.epoch) == ("daily", "7", EPOCH + 7)


def test_only_complete_backups_count(storage: Storage) -> None:
    whole = storage.backup(1).backup
    for number in range(2, 7):
        storage.backup(number)
    storage.archive(2).unlink()
    storage.manifest(3).unlink()
    storage.manifest(4).write_bytes(storage.manifest(4).read_bytes()[:-20])
    storage.manifest(5).write_bytes(b"")
    storage.archive(6).parent.rename(storage.folder / f".shop-daily-6-{EPOCH}.partial")
    (storage.folder / "a-b-c-d").mkdir()
    (storage.folder / f"shop-daily-9-{EPOCH}").write_text("a file")
    (storage.folder / f"shop-daily-10-{EPOCH}").symlink_to(storage.archive(1).parent)
    assert list_backups(storage.destination, "test", "shop") == (whole,)


def test_a_configuration_without_a_folder_has_no_backups(storage: Storage) -> None:
    storage.destination.mkdir()
    assert list_backups(storage.destination, "test", "shop") == ()


def test_a_destination_that_is_not_there_is_not_an_empty_one(storage: Storage) -> None:
    with pytest.raises(PluginFailed, match=f"{storage.destination}: No such file or directory"):
        list_backups(storage.destination, "test", "shop")


@pytest.mark.parametrize("closed", [".", "test/shop", "test/shop/*"])
def test_a_folder_that_cannot_be_read_is_not_an_empty_one(open_storage: Storage, closed: str) -> None:
    open_storage.backup()
    (folder,) = open_storage.destination.glob(closed) if closed != "." else [open_storage.destination]
    folder.chmod(0)
    with powerless(), pytest.raises(PluginFailed, match="Permission denied"):
        list_backups(open_storage.destination, "test", "shop")


def test_a_source_with_odd_bytes_is_listed_as_text(storage: Storage) -> None:
    (storage.source / odd(b"odd-\xff")).mkdir()
    (storage.source / "way").symlink_to(odd(b"odd-\xff"))
    made = storage.backup(BackupSrcPaths=f"{storage.source}/way").backup
    assert made.contents[0].source == f"{storage.source}/odd-\\xff"
    assert made.wire()["contents"]
    assert list_backups(storage.destination, "test", "shop") == (made,)
