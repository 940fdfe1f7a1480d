import os
import shutil
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.plugins.conftest import MountDisk
from tests.plugins.filesystem.trees import make_nasty_tree, names_in, picture
from tests.plugins.restic.conftest import EPOCH, Repository
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.file_listings import FileQuery
from workflows_app.domain.results import Backup, Level
from workflows_app.plugins.restic.plugin import plugin

MiB = 1024 * 1024


def test_everything_comes_back_as_it_was(repository: Repository, tmp_path: Path) -> None:
    make_nasty_tree(repository.source)
    # restic before 0.17 keeps of a link's target only what is UTF-8 (docs/plugins/restic.md).
    (repository.source / "odd-link").unlink()
    before = picture(repository.source)
    repository.backup()
    target = tmp_path / "target"
    assert repository.restore(target).code == 0
    assert picture(target / repository.source.relative_to("/")) == before
    assert repository.locks() == []


def test_the_original_place_is_overwritten_and_what_is_not_in_the_backup_stays(
    repository: Repository,
) -> None:
    (repository.source / "file").write_text("then")
    before = picture(repository.source)
    above = repository.source.parent.stat()
    repository.backup()
    (repository.source / "file").write_text("now, and longer")
    (repository.source / "new").write_text("new")
    assert repository.restore(None).code == 0
    assert (repository.source / "new").read_text() == "new"
    (repository.source / "new").unlink()
    assert picture(repository.source)["file"] == before["file"]
    assert repository.source.parent.stat().st_mode == above.st_mode


def test_chosen_files_alone_are_restored(repository: Repository, tmp_path: Path) -> None:
    for name in ("a[1]*.txt", "a1x.txt", "b.txt"):
        (repository.source / name).write_text(name)
    (repository.source / "folder").mkdir()
    (repository.source / "folder" / "inside").write_text("inside")
    repository.backup()
    target = tmp_path / "target"
    wanted = tuple(quote(str(repository.source / name)) for name in ("a[1]*.txt", "folder"))
    assert repository.restore(target, files=wanted).code == 0
    restored = target / repository.source.relative_to("/")
    assert names_in(restored) == ["a[1]*.txt", "folder"]
    assert (restored / "folder" / "inside").read_text() == "inside"


def test_a_file_that_is_not_in_the_backup_is_refused_before_anything_is_written(
    repository: Repository, tmp_path: Path
) -> None:
    (repository.source / "file").write_text("x")
    repository.backup()
    for path in (repository.source / "other", tmp_path):
        with pytest.raises(PluginFailed, match="does not hold"):
            repository.restore(tmp_path / "target", files=(quote(str(path)),))
    with pytest.raises(ConfigInvalid, match="files"):
        repository.restore(tmp_path / "target", files=("../etc",))
    assert not (tmp_path / "target").exists()


def test_a_dry_run_tells_and_writes_nothing(repository: Repository, tmp_path: Path) -> None:
    for name in ("same", "changed", "gone"):
        (repository.source / name).write_text(name)
    repository.backup()
    (repository.source / "changed").write_text("something else")
    (repository.source / "gone").unlink()
    before = picture(repository.source)
    assert repository.restore(None, dry_run=True).code == 0
    assert picture(repository.source) == before
    lines = repository.lines()
    assert f"{repository.source}/gone (4 B): would be created" in lines
    assert any(
        line.startswith(f"{repository.source}/changed (7 B): would be changed: size") for line in lines
    )
    assert "1 to create (4 B), 1 to change (7 B), 2 unchanged" in lines[-1]


def test_a_link_in_the_way_is_refused(repository: Repository, tmp_path: Path) -> None:
    (repository.source / "file").write_text("x")
    repository.backup()
    elsewhere = tmp_path / "elsewhere"
    repository.source.rename(elsewhere)
    repository.source.symlink_to(elsewhere)
    with pytest.raises(PluginFailed, match="is a symbolic link now"):
        repository.restore(None)


def test_no_link_below_the_target_leads_a_restore_elsewhere(repository: Repository, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for folder in ("folder", "other"):
        (repository.source / folder).mkdir()
        (repository.source / folder / "file").write_text("of the backup")
    (repository.source / "link").symlink_to(elsewhere)
    repository.backup()
    (elsewhere / "file").write_text("of somebody else")
    (repository.source / "other" / "file").unlink()
    (repository.source / "other" / "file").symlink_to(elsewhere / "file")
    with pytest.raises(PluginFailed, match="other/file is a symbolic link now"):
        repository.restore(None)
    chosen = (quote(str(repository.source / "folder" / "file")),)
    assert repository.restore(None, files=chosen).code == 0, "what is not restored is not in the way"
    shutil.rmtree(repository.source / "folder")
    (repository.source / "folder").symlink_to(elsewhere)
    with pytest.raises(PluginFailed, match="folder is a symbolic link now"):
        repository.restore(None, files=chosen, dry_run=True)
    assert (elsewhere / "file").read_text() == "of somebody else"


def test_the_repository_is_no_target(repository: Repository) -> None:
    (repository.source / "file").write_text("x")
    repository.backup()
    with pytest.raises(PluginFailed, match="among the backups"):
        repository.restore(repository.folder / "inside")


def test_a_backup_that_is_not_there_is_told_in_fossuls_words(repository: Repository, tmp_path: Path) -> None:
    (repository.source / "file").write_text("x")
    repository.backup()
    gone = Backup(name=f"shop-daily-1-{EPOCH + 1}", workflow_id="1")
    with pytest.raises(PluginFailed, match=r"Restore data no longer available for workflow id \[1\]"):
        plugin.restore(repository.of(gone))


def test_verify_reads_everything_and_finds_damage(repository: Repository) -> None:
    (repository.source / "file").write_bytes(os.urandom(3 * MiB))
    repository.backup()
    (backup,) = repository.backups()
    assert plugin.backup_verify(repository.of(backup)).code == 0
    pack = max(repository.folder.glob("data/*/*"), key=lambda path: path.stat().st_size)
    pack.chmod(0o600)
    with pack.open("r+b") as file:
        file.seek(MiB)
        file.write(b"damage")
    with pytest.raises(PluginFailed, match="restic failed"):
        plugin.backup_verify(repository.of(backup))


def test_the_files_of_a_backup_are_listed_page_by_page(repository: Repository) -> None:
    (repository.source / "folder").mkdir()
    for number in range(5):
        (repository.source / "folder" / f"file-{number}").write_text("x" * number)
    repository.backup()
    (backup,) = repository.backups()
    context = repository.of(backup)
    top = plugin.backup_browse(context, FileQuery())
    assert [(entry.path, entry.type) for entry in top.entries] == [(str(repository.source), "directory")]
    inside = plugin.backup_browse(context, FileQuery(folder=top.entries[0].key))
    assert [entry.path for entry in inside.entries] == [f"{repository.source}/folder"]
    page = plugin.backup_browse(context, FileQuery(folder=inside.entries[0].key, offset=1, limit=2))
    assert (page.total, [entry.size for entry in page.entries]) == (5, [1, 2])
    found = plugin.backup_browse(context, FileQuery(search="FILE-3"))
    assert [entry.path for entry in found.entries] == [f"{repository.source}/folder/file-3"]
    entry = found.entries[0]
    status = (repository.source / "folder" / "file-3").stat()
    assert (entry.mtime, entry.mode) == (int(status.st_mtime), status.st_mode & 0o7777)
    with pytest.raises(ConfigInvalid, match="folder"):
        plugin.backup_browse(context, FileQuery(folder="../x"))


def test_a_disk_that_is_full_ends_the_restore_with_words(
    repository: Repository, mount_disk: MountDisk
) -> None:
    (repository.source / "file").write_bytes(os.urandom(12 * MiB))
    repository.backup()
    assert repository.restore(mount_disk("8m") / "target").code == 1
    errors = repository.lines(Level.ERROR)
    assert "no space left on device" in errors[0]
    assert "restored to" in errors[-1] and "in part: " in errors[-1]
    assert repository.locks() == []


def test_a_check_tells_what_a_backup_would_meet(repository: Repository) -> None:
    assert [finding.state for finding in plugin.check(repository.context())] == ["GOOD"] * 3
    repository.folder.rename(repository.folder.with_name("away"))
    states = [finding.state for finding in plugin.check(repository.context())]
    assert states == ["GOOD", "WARN", "GOOD"]
    assert not repository.folder.exists()
    repository.folder.with_name("away").rename(repository.folder)
    wrong = plugin.check(repository.context(Password="wrong", BackupSrcPaths="/nowhere/at/all"))
    assert [(finding.parameter, finding.state) for finding in wrong] == [
        ("ResticCommand", "GOOD"), ("Password", "BAD"), ("BackupSrcPaths", "BAD"),
    ]  # fmt: skip
    missing = plugin.check(
        replace(repository.context(), parameters=repository.given | {"ResticCommand": "no-x"})
    )
    assert (missing[0].parameter, missing[0].state) == ("ResticCommand", "BAD")
    shutil.rmtree(repository.source)
    assert plugin.check(repository.context())[-1].state == "BAD"
