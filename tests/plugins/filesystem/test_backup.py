import os
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import EPOCH, Storage
from tests.plugins.filesystem.trees import MiB, names_in, unpack_with_tar
from workflows_app.domain.config import Config
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Backup, Content, Level
from workflows_app.plugins.base import StoragePlugin
from workflows_app.plugins.filesystem.plugin import plugin


def test_it_is_a_storage_plugin_that_declares_every_parameter() -> None:
    assert isinstance(plugin, StoragePlugin)
    info = plugin.info()
    assert (info.name, info.version, info.type) == ("filesystem", "1.0.0", "storage")
    assert [capability.name for capability in info.capabilities] == [
        "backup",
        "restore",
        "restoreFiles",
        "backupList",
        "backupDelete",
        "backupDeleteWorkflow",
        "backupVerify",
        "backupBrowse",
        "holds",
        "keepRules",
        "info",
    ]
    assert {spec.name: spec.required for spec in info.parameters} == {
        "BackupName": False,
        "BackupSrcPaths": True,
        "BackupDestPath": True,
        "CompressionLevel": False,
        "CompressionThreads": False,
        "BandwidthLimit": False,
        "Exclude": False,
        "OneFileSystem": False,
        "FilesPerSecond": False,
        "Format": False,
        "Unchanged": False,
        "VerifyLinked": False,
    }
    assert all(spec.help for spec in info.parameters)


def test_the_result_tells_of_the_backup(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    result = storage.backup()
    name = f"shop-daily-7-{EPOCH + 7}"
    assert result.code == 0
    assert result.backup == Backup(
        name=name,
        timestamp=str(EPOCH + 7),
        epoch=EPOCH + 7,
        policy="daily",
        workflow_id="7",
        contents=(
            Content(
                type="filesystem",
                source=str(storage.source),
                data=f"{name}.tar.zst",
                size=str(storage.archive().stat().st_size),
            ),
        ),
    )
    assert names_in(storage.folder / name) == [f"{name}.manifest.jsonl", f"{name}.tar.zst"]
    assert storage.kept() == [name]


def test_the_log_tells_the_story_in_few_lines(storage: Storage) -> None:
    for number in range(40):
        (storage.source / str(number)).write_bytes(bytes(1024 * 3))
    storage.backup()
    name = f"shop-daily-7-{EPOCH + 7}"
    first, second, third, *copied, verifying, last = storage.lines()
    assert first == "Performing filesystem backup"
    assert second == f"Backup name is {name}, Backup path is {storage.folder / name}"
    assert third == f"Backing up 40 files, 120.0 KiB from {storage.source}"
    assert copied[2] == "Copied 30 % (36.0 KiB of 120.0 KiB, 11 of 40 files)"
    assert len(copied) == 10
    assert verifying.startswith(f"Verifying {name}.tar.zst")
    assert last.startswith(f"Backup {name} completed: 40 files, 120.0 KiB, archive ")
    assert last.endswith(", verified")


def test_the_progress_goes_through_its_phases_and_reaches_the_whole(storage: Storage) -> None:
    (storage.source / "big").write_bytes(os.urandom(3 * MiB))
    (storage.source / "folder").mkdir()
    storage.backup()
    notes = list(dict.fromkeys(report.note for report in storage.reports))
    assert notes == ["scanning", "copying", "verifying"]
    ends = {report.note: report for report in storage.reports}
    copied, verified = ends["copying"], ends["verifying"]
    assert (copied.done_bytes, copied.total_bytes) == (3 * MiB, 3 * MiB)
    assert (copied.done_files, copied.total_files) == (1, 1)
    packed = storage.archive().stat().st_size
    assert (verified.done_bytes, verified.total_bytes) == (packed, packed)


def test_a_backup_name_takes_the_place_of_the_configurations(storage: Storage) -> None:
    result = storage.backup(BackupName="web-shop")
    assert result.backup.name == f"web-shop-daily-7-{EPOCH + 7}"
    assert storage.kept() == [result.backup.name]


def test_a_discovered_application_says_what_is_backed_up(storage: Storage) -> None:
    for name in ("data", "log", "other"):
        (storage.source / name).mkdir()
    config = Config(profile_name="test", config_name="shop", auto_discovery=True)
    result = storage.backup(
        config=config,
        BackupSrcPaths=f"{storage.source}/other",
        DataFilePaths=f"{storage.source}/data,,",
        LogFilePaths=f"{storage.source}/log",
    )
    assert [content.source for content in result.backup.contents] == [
        f"{storage.source}/data",
        f"{storage.source}/log",
    ]


def test_an_existing_backup_is_never_overwritten(storage: Storage) -> None:
    (storage.source / "file").write_text("first")
    storage.backup()
    before = storage.archive().read_bytes()
    (storage.source / "file").write_text("second")
    with pytest.raises(PluginFailed, match=r"There is a backup .* already"):
        storage.backup()
    assert storage.archive().read_bytes() == before
    assert storage.kept() == [f"shop-daily-7-{EPOCH + 7}"]


def test_what_a_killed_worker_left_is_removed_and_named(storage: Storage) -> None:
    storage.backup(1)
    left = storage.folder / f".shop-daily-2-{EPOCH + 2}.partial"
    left.mkdir()
    (left / "shop.tar.zst").write_text("half")
    (storage.folder / ".hidden").mkdir()
    elsewhere = storage.destination / "test" / "other"
    (elsewhere / ".x.partial").mkdir(parents=True)
    storage.backup(3)
    assert storage.kept() == [".hidden", f"shop-daily-1-{EPOCH + 1}", f"shop-daily-3-{EPOCH + 3}"]
    assert storage.lines(Level.WARN) == [f"Removing {left}, which an interrupted backup left behind"]
    assert (elsewhere / ".x.partial").exists()


def test_a_link_that_looks_like_a_leftover_costs_nobody_their_files(storage: Storage, tmp_path: Path) -> None:
    storage.backup(1)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("content")
    (storage.folder / ".shop.partial").symlink_to(tmp_path / "precious")
    storage.backup(2)
    assert (tmp_path / "precious" / "file").read_text() == "content"


def test_another_worker_that_began_the_same_backup_anew_keeps_its_folder(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    name = f".shop-daily-7-{EPOCH + 7}.partial"

    def replace_folder(text: str) -> None:
        if text.startswith("Verifying"):
            (storage.folder / name).rename(storage.folder / "old")
            (storage.folder / name).mkdir()
            for file in (storage.folder / "old").iterdir():
                file.rename(storage.folder / name / file.name)

    storage.on_line = replace_folder
    with pytest.raises(PluginFailed, match="another worker began this backup anew"):
        storage.backup()
    assert storage.kept() == [name, "old"]
    assert len(names_in(storage.folder / name)) == 2


@pytest.mark.parametrize("level", ["1", "19"])
def test_every_level_and_number_of_threads_makes_a_good_archive(
    storage: Storage, tmp_path: Path, level: str
) -> None:
    data = os.urandom(MiB) + bytes(MiB)
    (storage.source / "file").write_bytes(data)
    storage.backup(CompressionLevel=level, CompressionThreads="3")
    unpack_with_tar(storage.archive(), tmp_path / "out")
    assert (tmp_path / "out" / str(storage.source)[1:] / "file").read_bytes() == data
