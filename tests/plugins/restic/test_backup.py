import json
import os
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.plugins.filesystem.conftest import powerless
from tests.plugins.restic.conftest import EPOCH, PASSWORD, Repository
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.restic.parameters import Parameters
from workflows_app.plugins.restic.plugin import plugin
from workflows_app.plugins.restic.program import error_words
from workflows_app.plugins.restic.refusals import refusal

MiB = 1024 * 1024


def test_a_backup_is_a_snapshot_that_restic_itself_lists(nowhere: Repository) -> None:
    (nowhere.source / "file").write_bytes(os.urandom(3 * MiB))
    result = nowhere.backup()
    name = f"shop-daily-7-{EPOCH + 7}"
    assert (result.code, result.backup.name, result.backup.size) == (0, name, 3 * MiB)
    (snapshot,) = json.loads(nowhere.restic("snapshots", "--json"))
    assert snapshot["paths"] == [str(nowhere.source)]
    assert set(snapshot["tags"]) == {"fossul:test/shop", f"fossul-backup:{name}", f"fossul-size:{3 * MiB}"}
    (listed,) = nowhere.backups()
    assert listed == result.backup
    assert nowhere.locks() == []
    assert nowhere.lines()[-1].endswith("new in the repository, verified")


def test_the_password_is_in_no_list_of_processes(repository: Repository, tmp_path: Path) -> None:
    spy = tmp_path / "spy"
    spy.write_text('#!/bin/sh\ncat /proc/$$/cmdline >> "$(dirname "$0")/seen"\nexec restic "$@"\n')
    spy.chmod(0o755)
    repository.backup(ResticCommand=str(spy))
    seen = (tmp_path / "seen").read_text()
    assert "backup" in seen
    assert PASSWORD not in seen


def test_what_is_excluded_is_left_out(repository: Repository) -> None:
    for name in ("keep.txt", "drop.tmp"):
        (repository.source / name).write_text(name)
    repository.backup(Exclude="*.tmp", Tags="site:north")
    listed = repository.restic("ls", "latest")
    assert "keep.txt" in listed
    assert "drop.tmp" not in listed
    assert "site:north" in repository.restic("snapshots", "--json")


def test_a_second_backup_takes_only_what_is_new(repository: Repository) -> None:
    (repository.source / "file").write_bytes(os.urandom(4 * MiB))
    for number in (1, 2):
        repository.backup(number)
    assert repository.names() == [f"shop-daily-{n}-{EPOCH + n}" for n in (1, 2)]
    size = sum(path.stat().st_size for path in repository.folder.rglob("data/*/*"))
    assert 4 * MiB < size < 5 * MiB


def test_the_progress_tells_of_bytes(repository: Repository) -> None:
    (repository.source / "file").write_bytes(os.urandom(40 * MiB))
    repository.backup()
    assert max(report.total_bytes for report in repository.reports) == 40 * MiB
    assert "reading back" in {report.note for report in repository.reports}


def test_a_file_that_cannot_be_read_makes_no_backup() -> None:
    root = Path(tempfile.mkdtemp(prefix="fossul-test-"))
    root.chmod(0o777)
    try:
        repository = Repository(root)
        (repository.source / "good").write_text("good")
        (repository.source / "closed").write_text("closed")
        (repository.source / "closed").chmod(0)
        repository.given["Repository"] = str(root / "of-nobody")
        with powerless():
            with pytest.raises(PluginFailed, match="Not every file could be read"):
                repository.backup()
            assert any("closed" in line for line in repository.lines(Level.ERROR))
            assert repository.backups() == ()
        assert json.loads(repository.restic("snapshots", "--json")) in ([], None)
    finally:
        shutil.rmtree(root)


def test_a_source_that_is_not_there_makes_no_backup(nowhere: Repository) -> None:
    with pytest.raises(PluginFailed, match=r"Cannot read .*/gone: .* Check BackupSrcPaths"):
        nowhere.backup(BackupSrcPaths=f"{nowhere.source},{nowhere.source}/gone")
    assert not nowhere.folder.exists()


def test_a_damaged_pack_is_found_before_the_backup_counts(repository: Repository) -> None:
    (repository.source / "file").write_bytes(os.urandom(2 * MiB))

    def damage(text: str) -> None:
        if text.startswith("Reading back"):
            pack = max(repository.folder.glob("data/*/*"), key=lambda path: path.stat().st_size)
            pack.chmod(0o600)
            with pack.open("r+b") as file:
                file.seek(1000)
                file.write(b"damage")

    repository.on_line = damage
    with pytest.raises(PluginFailed, match=r"new pack .* is not what was written to it"):
        repository.backup()
    assert repository.backups() == ()


def test_a_cancelled_backup_leaves_neither_a_lock_nor_a_backup(repository: Repository) -> None:
    (repository.source / "file").write_bytes(os.urandom(64 * MiB))
    repository.backup(1)
    (repository.source / "other").write_bytes(os.urandom(64 * MiB))

    def stop(text: str) -> None:
        if text.startswith("Checking the repository"):
            repository.cancel()

    repository.on_line = stop
    with pytest.raises(Cancelled):
        repository.backup(2)
    repository.go_on()
    repository.on_line = lambda text: None
    assert repository.names() == [f"shop-daily-1-{EPOCH + 1}"]
    assert repository.locks() == []
    repository.backup(3)
    assert repository.lines(Level.WARN) == ["Forgetting 1 snapshot that never became a backup"]
    assert repository.names() == [f"shop-daily-{n}-{EPOCH + n}" for n in (1, 3)]
    assert len(json.loads(repository.restic("snapshots", "--json"))) == 2


def test_only_what_says_itself_that_it_is_unproven_is_forgotten(repository: Repository) -> None:
    (repository.source / "file").write_text("x")
    repository.backup(1)
    # By somebody's own hand: it is no backup here any more, and theirs to decide about.
    repository.restic("tag", f"--remove=fossul-backup:shop-daily-1-{EPOCH + 1}", "latest")
    repository.backup(2)
    assert repository.lines(Level.WARN) == []
    assert repository.names() == [f"shop-daily-2-{EPOCH + 2}"]
    assert len(json.loads(repository.restic("snapshots", "--json"))) == 2


def test_a_repository_is_created_only_when_that_is_asked(nowhere: Repository) -> None:
    with pytest.raises(PluginFailed, match=r"There is no repository at .*: check Repository"):
        nowhere.backup(CreateRepository="false")
    assert not nowhere.folder.exists()


def test_none_is_created_where_one_may_have_been(repository: Repository) -> None:
    (repository.folder / "config").unlink()
    left = sorted(repository.folder.rglob("*"))
    with pytest.raises(PluginFailed, match=r"none is created, since the folder is not empty"):
        repository.backup()
    assert sorted(repository.folder.rglob("*")) == left


def test_one_is_created_in_an_empty_folder(nowhere: Repository) -> None:
    nowhere.folder.mkdir()
    (nowhere.source / "file").write_text("x")
    nowhere.backup()
    assert len(nowhere.names()) == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            {"error": {}, "during": "archival", "item": "/srv"},
            "/srv: restic met an error during archival",
        ),
        ({"error": {"Op": "open", "Path": "/srv/x", "Err": 13}, "item": "/srv/x"}, "open /srv/x: Permission"),
        ({"error": {"message": "it broke"}, "item": "/srv"}, "/srv: it broke"),
    ],
)
def test_an_error_is_told_in_each_of_the_forms_that_restic_has(told: dict[str, Any], words: str) -> None:
    assert error_words(told).startswith(words)


def test_a_stack_of_calls_is_no_reason() -> None:
    said = (
        "Error loading snapshot 606ee1f8: ciphertext verification failed\n"
        "github.com/restic/restic/internal/restic.FindLatestSnapshot.func1\n"
        "\tgithub.com/restic/restic/internal/restic/snapshot_find.go:40\n"
        "golang.org/x/sync/errgroup.(*Group).Go.func1\nruntime.goexit\n\truntime/asm_amd64.s:1594\n"
    )
    parameters = SimpleNamespace(repository="/srv/repository")
    assert refusal(said, "exit status 1", cast(Parameters, parameters)) == (
        "restic failed (exit status 1): Error loading snapshot 606ee1f8: ciphertext verification failed"
    )


def test_a_wrong_password_is_told_by_its_parameter(repository: Repository) -> None:
    repository.backup()
    with pytest.raises(PluginFailed, match="Password is not that of the repository"):
        repository.backup(8, Password="wrong")
    assert repository.lines(Level.WARN) == [], "no lock can be left where nothing could be opened"
    with pytest.raises(PluginFailed, match="Password is not that of the repository"):
        plugin.backup_list(repository.context(Password="wrong"))


def test_a_list_that_cannot_be_read_is_no_empty_list(nowhere: Repository) -> None:
    with pytest.raises(PluginFailed, match="There is no repository"):
        nowhere.backups()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"Repository": ""}, "Repository"),
        ({"Repository": "relative/path"}, "Repository"),
        ({"Repository": "rest:https://user:pass@server/"}, "Repository"),
        ({"Repository": "sftp:-oProxyCommand=x:/path"}, "Repository"),
        ({"Password": ""}, "Password"),
        ({"BackupSrcPaths": ""}, "BackupSrcPaths"),
        ({"BackupSrcPaths": "a"}, "BackupSrcPaths"),
        ({"Tags": "a b"}, "Tags"),
        ({"Tags": "fossul:x/y"}, "Tags"),
        ({"Proof": "some"}, "Proof"),
        ({"LockWait": "soon"}, "LockWait"),
        ({"Repository": "sftp:u@h:/r", "SftpKeyFile": "/a b"}, "SftpKeyFile"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_its_name(
    nowhere: Repository, given: dict[str, str], field: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        nowhere.backup(**given)
    assert refused.value.field == field
    assert not nowhere.folder.exists()


def test_a_worker_without_restic_says_so(nowhere: Repository) -> None:
    with pytest.raises(PluginFailed, match="restic cannot be run on this worker"):
        nowhere.backup(ResticCommand="restic-that-is-not-there")


def test_a_lock_of_another_restic_is_waited_for_and_told(repository: Repository) -> None:
    for number in (1, 2):
        repository.backup(number)
    with repository.another_restic() as other:
        assert repository.retain(1, 2, LockWait="2").code == 1
        (why,) = repository.lines(Level.ERROR)
        assert f"is locked by PID {other.pid} on " in why
        assert any(line.startswith("Waiting, for up to 2 s") for line in repository.lines(Level.WARN))


def test_a_lock_of_a_dead_restic_is_removed(repository: Repository) -> None:
    for number in (1, 2):
        repository.backup(number)
    with repository.another_restic() as other:
        other.kill()
        other.wait()
    assert repository.locks() != []
    assert repository.retain(1, 2).code == 0
    assert repository.names() == [f"shop-daily-2-{EPOCH + 2}"]
    assert repository.locks() == []
