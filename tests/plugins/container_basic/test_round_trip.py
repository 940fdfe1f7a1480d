"""Files out of a pod and back into it, compared in full."""

import shutil
from pathlib import Path

import pytest

from tests.plugins.container_basic.conftest import EPOCH, PodStorage
from tests.plugins.filesystem.trees import make_nasty_tree, picture
from tests.plugins.kubernetes.api_server import PROTOCOLS
from workflows_app.domain.file_listings import FileQuery
from workflows_app.domain.results import Backup, Content, Level


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_everything_comes_back_as_it_was(pod: PodStorage, protocol: str) -> None:
    pod.server.protocols = (protocol,)
    make_nasty_tree(pod.source)
    before = picture(pod.source)
    backup = pod.backup().backup
    shutil.rmtree(pod.source)
    assert pod.restore(backup).code == 0
    assert picture(pod.source) == before
    assert pod.last.lines(Level.WARN) == []


def test_a_restore_to_another_folder_leaves_the_source_alone(pod: PodStorage, tmp_path: Path) -> None:
    make_nasty_tree(pod.source)
    backup = pod.backup().backup
    (pod.source / "plain.txt").write_text("changed since")
    before = picture(pod.source)
    target = tmp_path / "pod" / "else" / "where"
    pod.restore(backup, target=str(target))
    assert picture(pod.source) == before
    landed = target / pod.source.relative_to("/")
    assert (landed / "plain.txt").read_text() == "content"
    assert set(picture(landed)) == set(before)


def test_what_changed_is_replaced_and_what_is_new_stays(pod: PodStorage) -> None:
    make_nasty_tree(pod.source)
    backup = pod.backup().backup
    (pod.source / "plain.txt").unlink()
    (pod.source / "exactly").write_text("changed")
    (pod.source / "new").write_text("new")
    pod.restore(backup)
    assert (pod.source / "plain.txt").read_text() == "content"
    assert (pod.source / "exactly").read_text() == "x" * 512
    assert (pod.source / "new").read_text() == "new"


def test_the_backup_is_answered_listed_verified_browsed_and_deleted(pod: PodStorage) -> None:
    make_nasty_tree(pod.source)
    backup = pod.backup().backup
    archive = pod.folder / backup.name / f"{backup.name}.tar.zst"
    assert backup == Backup(
        name=f"shop-daily-7-{EPOCH + 7}",
        timestamp=str(EPOCH + 7),
        epoch=EPOCH + 7,
        policy="daily",
        workflow_id="7",
        contents=(
            Content(
                type="filesystem",
                source=str(pod.source),
                data=archive.name,
                size=str(archive.stat().st_size),
            ),
        ),
    )
    assert pod.storage.backup_list(pod.call().context) == (backup,)
    call = pod.of(backup)
    assert pod.storage.backup_verify(call.context).code == 0
    listed = pod.storage.backup_browse(call.context, FileQuery(search="/big"))
    assert [entry.path for entry in listed.entries] == [f"{pod.source}/big"]
    assert pod.storage.backup_delete(call.context).code == 0
    assert pod.kept() == []


def test_the_lines_of_a_backup_tell_what_is_done(pod: PodStorage) -> None:
    (pod.source / "one").write_text("1")
    pod.backup(CopyCmdPath="/usr/bin/oc")
    name = f"shop-daily-7-{EPOCH + 7}"
    assert pod.last.lines()[:4] == [
        "Performing container backup",
        "The parameter CopyCmdPath is not used: the worker speaks to the cluster itself",
        "Performing backup for pod db-0",
        f"Backup name is {name}, Backup path is {pod.folder / name}",
    ]
    (command,) = pod.last.lines(Level.CMD)
    assert command.startswith("Executing command [tar ")
    assert command.endswith("in namespace [shop] on pod [db-0] container [main]")
    assert pod.last.lines()[-1].startswith(f"Backup {name} completed: 1 file, 1 B, archive ")


def test_discovered_paths_take_the_place_of_those_that_are_given(pod: PodStorage) -> None:
    for name in ("data", "logs"):
        (pod.source / name).mkdir()
        (pod.source / name / "file").write_text(name)
    call = pod.call(
        BackupSrcPaths="/not/there",
        DataFilePaths=str(pod.source / "data"),
        LogFilePaths=str(pod.source / "logs"),
    )
    call.config = call.config.model_copy(update={"auto_discovery": True})
    object.__setattr__(call.context, "config", call.config)
    backup = pod.storage.backup(call.context).backup
    assert [content.source for content in backup.contents] == [
        f"{pod.source}/data",
        f"{pod.source}/logs",
    ]


def test_retention_keeps_what_the_policy_keeps(pod: PodStorage) -> None:
    (pod.source / "file").write_text("x")
    for number in (1, 12, 2):
        pod.backup(number)
    call = pod.call(2, keep=2)
    assert pod.storage.backup_delete_workflow(call.context).code == 0
    assert pod.kept() == [f"shop-daily-12-{EPOCH + 12}", f"shop-daily-2-{EPOCH + 2}"]


def test_chosen_files_alone_come_back(pod: PodStorage) -> None:
    make_nasty_tree(pod.source)
    before = picture(pod.source)
    backup = pod.backup().backup
    shutil.rmtree(pod.source)
    pod.restore(backup, files=[f"{pod.source}/sticky", f"{pod.source}/big"])
    assert {name: found for name, found in picture(pod.source).items() if name != "."} == {
        name: before[name] for name in ("sticky", "big")
    }


def test_a_dry_run_tells_what_would_be_done_and_changes_nothing(pod: PodStorage) -> None:
    (pod.source / "same\nas before").write_text("same")
    (pod.source / "changed").write_text("old")
    (pod.source / "gone").write_text("gone")
    backup = pod.backup().backup
    (pod.source / "changed").write_text("new content")
    (pod.source / "gone").unlink()
    (pod.source / "new").write_text("new")
    before = picture(pod.source)
    assert pod.restore(backup, dryRun=True).code == 0
    assert picture(pod.source) == before
    said = pod.last.lines()
    assert f"{pod.source}/gone (4 B): would be created" in said
    assert any(line.startswith(f"{pod.source}/changed (3 B): would be changed: size 11 B") for line in said)
    assert f"{pod.source}/new (3 B): not in the backup, left as it is" in said
    assert said[-1].startswith(f"Dry run of {backup.name}: 1 to create (4 B), 1 to change (3 B), ")
    assert "1 not in the backup" in said[-1]


def test_a_dry_run_to_a_folder_that_is_not_there_creates_all(pod: PodStorage, tmp_path: Path) -> None:
    (pod.source / "one").write_text("1")
    backup = pod.backup().backup
    target = tmp_path / "pod" / "else"
    pod.restore(backup, target=str(target), dryRun=True)
    assert not target.exists()
    assert pod.last.lines()[-1].startswith(f"Dry run of {backup.name}: 2 to create (1 B), 0 to change")
