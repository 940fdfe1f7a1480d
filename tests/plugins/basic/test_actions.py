"""Actions of real executables: lines, levels, ends, cancels, environment (fossul-behaviour.md §7.2)."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.basic.conftest import CONFIG, Folder
from tests.plugins.conftest import Call
from tests.plugins.test_process import alive, until
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Backup, Level, Result
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.basic.plugins import BasicApp, BasicArchive, BasicStorage

APP = "quiesce unquiesce"


def test_lines_have_their_levels_and_a_success_is_fossuls(
    folder: Folder, call: Call, context: PluginContext
) -> None:
    path = folder.shell(
        "app", "echo INFO one; echo 'WARN two' >&2; echo; echo three; echo '12:00 ERROR four'", can=APP
    )
    assert BasicApp(path).quiesce(context) == Result()
    assert call.said == [
        (Level.CMD, f"Executing plugin [{path} --quiesce]"),
        (Level.INFO, "one"),
        (Level.WARN, "two"),
        (Level.UNKNOWN, "three"),
        (Level.ERROR, "four"),
        (Level.INFO, f"Plugin command [{path} --quiesce] completed successfully"),
    ]


def test_each_action_is_one_flag(folder: Folder, call: Call, context: PluginContext) -> None:
    app = BasicApp(folder.shell("app", "echo INFO $#:$@"))
    storage = BasicStorage(folder.shell("storage", "echo INFO $#:$@"))
    archive = BasicArchive(folder.shell("archive", "echo INFO $#:$@"))
    restoring = replace(context, config=CONFIG.model_copy(update={"selected_workflow_id": 3}))
    for act in (
        app.quiesce, app.unquiesce, app.pre_restore, app.post_restore,
        storage.backup, storage.backup_delete_workflow, storage.mount, storage.unmount,
        archive.archive, archive.archive_delete,
    ):  # fmt: skip
        assert act(context) == Result()
    assert storage.restore(restoring) == Result()
    assert [text for _, text in call.said if text.startswith("1:")] == [
        "1:--quiesce", "1:--unquiesce", "1:--preRestore", "1:--postRestore",
        "1:--backup", "1:--backupDeleteWorkflow", "1:--mount", "1:--unmount",
        "1:--archive", "1:--archiveDelete", "1:--restore",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "reason"),
    [("exit 3", "exit status 3"), ("kill -9 $$", "signal: killed"), ("no_such_command", "exit status 127")],
)
def test_a_failure_is_told_in_fossuls_words(
    folder: Folder, call: Call, context: PluginContext, body: str, reason: str
) -> None:
    path = folder.shell("app", f"echo ERROR the cause\n{body}", can=APP)
    assert BasicApp(path).quiesce(context).code == 1
    command = f"{path} --quiesce"
    assert call.said[1] == (Level.ERROR, "the cause"), "the first error is the reason that a run shows"
    assert call.said[-2:] == [
        (Level.ERROR, f"Plugin command [{command}] failed"),
        (Level.ERROR, f"Plugin command failed with [{reason}]"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#!/no/such/interpreter\n", "no such file or directory"),
        ("neither script nor program", "exec format error"),
    ],
)
def test_what_cannot_be_started_fails_with_the_cause(
    folder: Folder, call: Call, context: PluginContext, text: str, words: str
) -> None:
    path = folder.add("app", "acme", text)
    plugin = BasicApp(path)
    assert plugin.unquiesce(context).code == 1
    assert call.said[-1] == (Level.ERROR, f"Plugin command failed with [fork/exec {path}: {words}]")
    assert call.said[0][1].endswith(f"{words}. It is called as a plugin without extensions.")
    with pytest.raises(PluginFailed, match=f"^Plugin Info failed! .*{words}"):
        plugin.info()


def test_an_executable_that_vanished_is_told(folder: Folder, call: Call, context: PluginContext) -> None:
    path = folder.shell("app", "")
    plugin = BasicApp(path)
    path.unlink()
    assert plugin.quiesce(context).code == 1
    assert "no such file or directory" in call.said[-1][1]


def test_a_line_is_said_while_the_executable_runs(
    folder: Folder, context: PluginContext, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    path = folder.shell("app", f"echo INFO first; until [ -e '{go}' ]; do sleep 0.01; done; echo INFO last")
    heard: list[str] = []

    def say(level: Level, text: str) -> None:
        heard.append(text)
        if text == "first":  # it goes on only when this line was heard
            go.touch()

    assert BasicApp(path).quiesce(replace(context, say=say)).code == 0
    assert heard[1:3] == ["first", "last"]


def test_a_cancel_kills_the_whole_group(
    folder: Folder, call: Call, context: PluginContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.process.LINGER_SECONDS", 0.05)
    path = folder.shell("app", "sleep 60 & echo INFO $!; wait")
    pids: list[int] = []

    def say(level: Level, text: str) -> None:
        if text.isdecimal():
            pids.append(int(text))
            threading.Thread(target=call.cancel).start()

    with pytest.raises(Cancelled):
        BasicApp(path).quiesce(replace(context, say=say))
    assert until(lambda: not alive(pids[0]))


def test_a_flood_and_bytes_that_are_no_text_are_taken(
    folder: Folder, call: Call, context: PluginContext
) -> None:
    path = folder.python(
        "app", "sys.stdout.buffer.write(b'INFO \\xff\\x00x\\n' + b'INFO y\\n' * 200000 + b'INFO no end')"
    )
    assert BasicApp(path).quiesce(context).code == 0
    texts = [text for _, text in call.said]
    assert texts[1] == "\ufffd\ufffdx"
    assert texts[2:-2] == ["y"] * 200000
    assert texts[-2] == "no end"


def environment_of(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


@pytest.fixture
def printed(folder: Folder, tmp_path: Path) -> Callable[[str], Path]:
    """An executable that writes its environment to ``tmp_path/env``."""

    def make(family: str, can: str = "", extensions: str = "") -> Path:
        return folder.shell(family, f"env -0 > '{tmp_path}/env'", can=can, extensions=extensions)

    return make


@pytest.mark.parametrize("family", ["app", "storage", "archive"])
def test_the_environment_is_fossuls(
    context: PluginContext, printed: Callable[..., Path], tmp_path: Path, family: str
) -> None:
    parameters = {"SampleVar": "a b", "BackupPolicy": "parameters win", "DataFilePaths": "/a,/b"}
    environment = {"PATH": os.environ["PATH"], "LANG": "C"}
    context = replace(context, parameters=parameters, environment=environment)
    path = printed(family)
    if family == "app":
        BasicApp(path).quiesce(context)
    elif family == "storage":
        BasicStorage(path).backup(context)
    else:
        BasicArchive(path).archive(context)
    found = environment_of((tmp_path / "env").read_text())
    assert {name: value for name, value in found.items() if name not in ("PWD", "OLDPWD", "SHLVL", "_")} == {
        "PATH": os.environ["PATH"],
        "LANG": "C",
        "ProfileName": "shop",
        "ConfigName": "db",
        "AutoDiscovery": "true",
        "WorkflowId": "7",
        "SelectedWorkflowId": "0",
        "BackupRetention": "5",
        "ArchiveRetention": "2",
        "BackupPolicy": "parameters win",
        "SampleVar": "a b",
        "DataFilePaths": "/a,/b",
    }


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("a=b", "x", "'a=b' cannot be the name of an environment variable"),
        ("", "x", "'' cannot be the name"),
        ("Password", "x\0y", "Password: has a NUL character"),
    ],
)
def test_a_parameter_that_cannot_be_a_variable_is_refused_by_name(
    context: PluginContext, printed: Callable[..., Path], tmp_path: Path, name: str, value: str, words: str
) -> None:
    with pytest.raises(ConfigInvalid, match=words):
        BasicApp(printed("app")).quiesce(replace(context, parameters={name: value}))
    assert not (tmp_path / "env").exists()


def test_what_is_not_declared_is_refused_with_words(
    folder: Folder, context: PluginContext, tmp_path: Path
) -> None:
    path = folder.shell("app", f"touch '{tmp_path}/called'", can="discover info")
    with pytest.raises(PluginFailed, match="does not declare the capability 'quiesce', so it was not called"):
        BasicApp(path).quiesce(context)
    storage = BasicStorage(folder.shell("storage", f"touch '{tmp_path}/called'", can="backup info"))
    for act in (storage.backup_list, storage.restore, storage.backup_delete_workflow):
        with pytest.raises(PluginFailed, match="does not declare the capability"):
            act(context)
    assert not (tmp_path / "called").exists()


def test_what_fossuls_plugins_leave_out_is_nothing_to_do(
    folder: Folder, call: Call, context: PluginContext, tmp_path: Path
) -> None:
    app = BasicApp(folder.shell("app", f"touch '{tmp_path}/called'", can=APP))
    storage = BasicStorage(folder.shell("storage", f"touch '{tmp_path}/called'", can="backup"))
    for act in (app.pre_restore, app.post_restore, storage.mount, storage.unmount):
        assert act(context) == Result()
    assert [text for _, text in call.said] == [
        "Pre restore not implemented or required",
        "Post restore not implemented or required",
        "Mount not implemented or required",
        "Unmount not implemented or required",
    ]
    assert not (tmp_path / "called").exists()


def test_a_thaw_is_never_left_out(folder: Folder, call: Call, context: PluginContext, tmp_path: Path) -> None:
    undeclared = BasicApp(folder.shell("app", f"touch '{tmp_path}/thawed'", can="quiesce"))
    assert undeclared.unquiesce(context) == Result()
    assert (tmp_path / "thawed").exists()
    broken = folder.add(
        "app", "broken", f"#!/bin/sh\n[ $1 = --unquiesce ] && touch '{tmp_path}/thawed too'\n"
    )
    assert BasicApp(broken).unquiesce(context) == Result()
    assert (tmp_path / "thawed too").exists()
    assert "Plugin Info failed!" in next(text for level, text in call.said if level == Level.WARN)


@pytest.mark.parametrize("keep", [0, -1])
def test_a_retention_at_which_fossul_deletes_everything_deletes_nothing(
    folder: Folder, call: Call, context: PluginContext, tmp_path: Path, keep: int
) -> None:
    update = {"selected_backup_retention": keep, "selected_archive_retention": keep}
    context = replace(context, config=CONFIG.model_copy(update=update))
    with pytest.raises(ConfigInvalid, match=f"retentionNumber: {keep} is not how many backups"):
        BasicStorage(folder.shell("storage", f"touch '{tmp_path}/called'")).backup_delete_workflow(context)
    archive = BasicArchive(folder.shell("archive", f"touch '{tmp_path}/called'"))
    assert archive.archive_delete(context) == Result()
    assert "does not say how many archives it keeps" in call.said[-1][1]
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    ("request_", "selected", "words"),
    [
        (RestoreRequest(dry_run=True), 3, "has no dry run"),
        (RestoreRequest(target="/elsewhere"), 3, "leave the target empty"),
        (RestoreRequest(), 0, "finds a backup by its run's number, and 'b' has none"),
    ],
)
def test_a_restore_that_cannot_be_obeyed_touches_nothing(
    folder: Folder,
    context: PluginContext,
    tmp_path: Path,
    request_: RestoreRequest,
    selected: int,
    words: str,
) -> None:
    config = CONFIG.model_copy(update={"selected_workflow_id": selected, "backup": Backup(name="b")})
    path = folder.shell("storage", f"touch '{tmp_path}/called'", can="backup restore")
    with pytest.raises(PluginFailed, match=words):
        BasicStorage(path).restore(replace(context, config=config, restore=request_))
    assert not (tmp_path / "called").exists()
