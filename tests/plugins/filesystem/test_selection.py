"""What is left out of a backup, in either format, and that this is told."""

import json
from pathlib import Path

import pytest

from tests.plugins.conftest import MountDisk
from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.restoring import Restoring
from tests.plugins.filesystem.trees import odd
from workflows_app.domain.findings import FindingState
from workflows_app.plugins.filesystem.plugin import plugin
from workflows_app.plugins.filesystem.selection import Selection, SourceRules
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.filesystem.walk import walk

FORMATS = pytest.mark.parametrize("form", ["archive", "tree"])


def paths_in(storage: Storage, number: int = 7) -> list[str]:
    """What the backup has below the source."""
    lines = [json.loads(line) for line in storage.manifest(number).read_text().splitlines()[1:-1]]
    prefix = len(str(storage.source))
    return [line["path"][prefix:] for line in lines][1:]


@FORMATS
def test_what_is_excluded_is_not_in_the_backup_and_told(storage: Storage, form: str, tmp_path: Path) -> None:
    for path in ("keep", "a.tmp", "cache/x", "sub/cache/y", "sub/logs/z", "sub/keep"):
        (storage.source / path).parent.mkdir(parents=True, exist_ok=True)
        (storage.source / path).write_text(path)
    (storage.source / odd(b"\xff.tmp")).write_text("odd")
    storage.backup(Format=form, Exclude="*.tmp, /cache, logs/")
    assert paths_in(storage) == ["keep", "sub", "sub/cache", "sub/cache/y", "sub/keep"]
    root = storage.source
    assert storage.lines()[2] == (
        f"Left out by Exclude: {root}/a.tmp, {root}/cache, {root}/sub/logs, {root}/\\xff.tmp"
    )
    assert f"Backing up 3 files, 23 B from {root}" in storage.lines()
    header = json.loads(storage.manifest().read_text().splitlines()[0])
    assert header["selection"] == {"exclude": ["*.tmp", "/cache", "logs/"], "oneFileSystem": False}
    assert Restoring(storage).restore(target=tmp_path / "out").code == 0
    assert not (tmp_path / "out" / str(root).lstrip("/") / "cache").exists()


def test_a_backup_of_everything_says_nothing_of_patterns(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    storage.backup()
    assert "selection" not in json.loads(storage.manifest().read_text().splitlines()[0])


def test_the_source_itself_is_never_excluded(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    storage.backup(Exclude="source")
    assert paths_in(storage) == ["file"]


def test_many_that_are_left_out_are_counted(storage: Storage) -> None:
    for number in range(30):
        (storage.source / f"{number:02}.tmp").touch()
    (storage.source / "file").write_text("content")
    storage.backup(Exclude="*.tmp")
    told = next(line for line in storage.lines() if line.startswith("Left out by Exclude"))
    assert told.count(".tmp") == 20
    assert told.endswith("/19.tmp and 10 more")


def test_an_unreadable_file_can_be_excluded(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    (storage.source / "closed").write_text("closed")
    (storage.source / "closed").chmod(0)
    storage.backup(Exclude="closed")
    assert paths_in(storage) == ["file"]


@FORMATS
def test_one_file_system_stops_at_a_mount_point(storage: Storage, mount_disk: MountDisk, form: str) -> None:
    mounted = mount_disk("1m", at=storage.source / "mounted")
    (mounted / "inside").write_text("inside")
    (storage.source / "outside").write_text("outside")
    storage.backup(7, Format=form, OneFileSystem="true")
    assert paths_in(storage) == ["mounted", "outside"]
    assert f"Left out by OneFileSystem, for another filesystem is mounted there: {mounted}" in storage.lines()
    storage.backup(8, Format=form)
    assert paths_in(storage, 8) == ["mounted", "mounted/inside", "outside"]


def test_a_source_that_is_a_mount_point_is_backed_up(storage: Storage, mount_disk: MountDisk) -> None:
    mounted = mount_disk("1m", at=storage.source / "mounted")
    (mounted / "inside").write_text("inside")
    storage.backup(BackupSrcPaths=str(mounted), OneFileSystem="true")
    assert "inside" in storage.manifest().read_text()


def test_files_per_second_paces_the_walk(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        (storage.source / str(number)).touch()
    waited: list[float] = []
    now = 100.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        waited.append(seconds)

    selection = Selection.of(storage.context(FilesPerSecond="5"))
    monkeypatch.setattr(
        "workflows_app.plugins.filesystem.selection.Throttle",
        lambda rate: Throttle(rate, clock=lambda: now, sleep=sleep),
    )
    rules = SourceRules(str(storage.source), selection, lambda: None)
    assert len(list(walk(str(storage.source), lambda path, error: None, rules))) == 10
    assert sum(waited) == pytest.approx(10 / 5)


def test_the_test_of_a_configuration_names_wrong_values(storage: Storage) -> None:
    context = storage.context(Exclude="!keep", Format="zip", VerifyLinked="x", FilesPerSecond="0")
    fields = {finding.parameter for finding in plugin.check(context) if finding.state == FindingState.BAD}
    assert {"Exclude", "Format", "VerifyLinked", "FilesPerSecond"} <= fields
