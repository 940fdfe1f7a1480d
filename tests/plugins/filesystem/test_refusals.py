"""What is refused before anything is read or written."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.trees import names_in
from workflows_app.domain.config import Config
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.plugins.filesystem.listing import list_backups


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BackupSrcPaths", ""),
        ("BackupSrcPaths", " , "),
        ("BackupSrcPaths", "relative/path"),
        ("BackupSrcPaths", "/nul\0byte"),
        ("BackupDestPath", ""),
        ("BackupDestPath", "relative"),
        ("BackupName", "../../escape"),
        ("BackupName", ".."),
        ("BackupName", "a/b"),
        ("BackupName", ".hidden"),
        ("BackupName", "line\nbreak"),
        ("CompressionLevel", "0"),
        ("CompressionLevel", "20"),
        ("CompressionLevel", "3.5"),
        ("CompressionLevel", "٣"),
        ("CompressionThreads", "0"),
        ("CompressionThreads", "many"),
        ("CompressionThreads", "1000"),
        ("BandwidthLimit", "0"),
        ("BandwidthLimit", "-1"),
        ("BandwidthLimit", "12T"),
        ("BandwidthLimit", "fast"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(storage: Storage, name: str, value: str) -> None:
    with pytest.raises(ConfigInvalid, match=f"^{name}: ") as refused:
        storage.backup(**{name: value})
    assert refused.value.field == name
    assert not storage.destination.exists()


@pytest.mark.parametrize("name", ["", "..", ".", "../..", "a/b", "/etc", ".x", "a\0", "a b", "é"])
def test_no_name_leaves_the_destination(storage: Storage, name: str) -> None:
    for config in (
        Config(profile_name=name, config_name="shop"),
        Config(profile_name="test", config_name=name),
    ):
        with pytest.raises(ConfigInvalid):
            storage.backup(config=config)
        with pytest.raises(ConfigInvalid):
            list_backups(storage.destination, config.profile_name, config.config_name)
    assert not storage.destination.exists()


def test_a_policy_that_lists_could_not_read_back_is_refused(storage: Storage) -> None:
    for policy in ("every-hour", "../x", ""):
        config = Config(profile_name="test", config_name="shop").for_run(7, policy, 1)
        with pytest.raises(ConfigInvalid, match="backupPolicy"):
            storage.backup(config=_Fixed.model_validate(config.model_dump()))


class _Fixed(Config):
    """A configuration that is consolidated already, for better or worse."""

    def for_run(self, number: int, policy: str, timestamp: int, kind: str = "backup") -> Config:
        return self


@pytest.mark.parametrize("workflow_id", ["", "../7", "7-8", "x"])
def test_a_run_without_a_number_is_refused(storage: Storage, workflow_id: str) -> None:
    config = _Fixed(
        profile_name="test", config_name="shop", selected_backup_policy="daily", workflow_id=workflow_id
    )
    with pytest.raises(ConfigInvalid, match="workflowId"):
        storage.backup(config=config)


@pytest.mark.parametrize("link", ["test", "test/shop"])
def test_a_link_that_leads_out_of_the_destination_is_refused(
    storage: Storage, tmp_path: Path, link: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (storage.destination / link).parent.mkdir(parents=True)
    (storage.destination / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PluginFailed, match="out of the destination"):
        storage.backup()
    with pytest.raises(PluginFailed, match="out of the destination"):
        list_backups(storage.destination, "test", "shop")
    assert names_in(tmp_path / "elsewhere") == []


def test_a_destination_may_be_a_link_itself(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    storage.destination.symlink_to(tmp_path / "disk")
    storage.backup()
    assert storage.archive().exists()


def test_a_source_that_does_not_exist_is_named(storage: Storage) -> None:
    missing = storage.source / "missing"
    with pytest.raises(PluginFailed, match=f"Cannot read the source {missing}: No such file or directory"):
        storage.backup(BackupSrcPaths=str(missing))
    assert storage.kept() == []


def test_a_source_that_is_neither_folder_nor_file_is_refused(storage: Storage) -> None:
    os.mkfifo(storage.source / "fifo")
    with pytest.raises(PluginFailed, match="neither a directory nor a regular file"):
        storage.backup(BackupSrcPaths=str(storage.source / "fifo"))


def test_a_source_given_twice_is_refused_by_any_of_its_names(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(storage.source)
    for other in (storage.source, tmp_path / "alias", storage.source / ".." / "source"):
        with pytest.raises(PluginFailed, match="given twice"):
            storage.backup(BackupSrcPaths=f"{storage.source},{other}")


def test_a_source_in_another_is_refused_whatever_their_order(storage: Storage) -> None:
    (storage.source / "inner").mkdir()
    paths = [str(storage.source), str(storage.source / "inner")]
    for given in (paths, paths[::-1]):
        with pytest.raises(PluginFailed, match="inner lies in the source"):
            storage.backup(BackupSrcPaths=",".join(given))


def test_a_name_that_only_begins_alike_is_another_source(storage: Storage) -> None:
    (storage.source / "data").mkdir()
    (storage.source / "data2").mkdir()
    storage.backup(BackupSrcPaths=f"{storage.source}/data,{storage.source}/data2")
    assert storage.archive().exists()


def test_backups_are_not_backed_up_into_themselves(storage: Storage, tmp_path: Path) -> None:
    storage.backup(1)
    (tmp_path / "way in").symlink_to(storage.source)
    inside = storage.source / "backups"
    cases = [
        {"BackupDestPath": str(inside)},
        {"BackupDestPath": str(storage.source)},
        {"BackupDestPath": str(tmp_path / "way in" / "backups")},
        {"BackupSrcPaths": "/"},
        {"BackupSrcPaths": str(storage.destination)},
        {"BackupSrcPaths": str(storage.folder)},
        {"BackupSrcPaths": str(storage.archive(1))},
    ]
    for case in cases:
        with pytest.raises(PluginFailed, match="backed up into themselves"):
            storage.backup(2, **case)
    assert names_in(storage.source) == []


def test_a_bind_mount_is_seen_through(storage: Storage) -> None:
    storage.backup(1)
    inside = storage.source / "mounted"
    inside.mkdir()
    mounted = subprocess.run(["mount", "--bind", storage.destination, inside], capture_output=True)
    if mounted.returncode:
        pytest.skip("no bind mount can be made here")
    try:
        with pytest.raises(PluginFailed, match="backed up into themselves"):
            storage.backup(2)
    finally:
        subprocess.run(["umount", inside], check=True)


def test_other_backups_at_the_same_destination_may_be_backed_up(storage: Storage) -> None:
    other = storage.destination / "test" / "other"
    other.mkdir(parents=True)
    (other / "file").write_text("content")
    storage.backup(BackupSrcPaths=str(other))
    assert storage.archive().exists()
