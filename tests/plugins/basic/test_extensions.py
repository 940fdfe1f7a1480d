"""What an executable may opt in to: more variables, a document to read, progress, the backup's record."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.basic.conftest import CONFIG, Folder
from tests.plugins.basic.test_actions import environment_of
from tests.plugins.conftest import Call
from workflows_app.domain.results import Backup, Level, Result
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.basic.plugins import BasicApp, BasicStorage

LINES = """\
echo 'PROGRESS {"doneBytes": 1, "totalBytes": 4, "doneFiles": 2, "totalFiles": 8, "note": "copying"}'
echo 'BACKUP {"name": "n", "epoch": 5, "contents": [{"type": "filesystem", "size": "9"}]}'
"""


def test_progress_is_reported_and_the_backup_answered(
    folder: Folder, call: Call, context: PluginContext, reports: list[Report]
) -> None:
    path = folder.shell("storage", LINES, extensions="progress backup something-later")
    result = BasicStorage(path).backup(context)
    assert reports == [Report(1, 4, 2, 8, "copying")]
    assert (result.backup.name, result.backup.size) == ("n", 9)
    assert [level for level, _ in call.said] == [Level.CMD, Level.INFO], "neither is a message"


def test_without_the_extensions_they_are_lines_like_any_other(
    folder: Folder, call: Call, context: PluginContext, reports: list[Report]
) -> None:
    assert BasicStorage(folder.shell("storage", LINES)).backup(context) == Result()
    assert reports == []
    assert [level for level, _ in call.said] == [Level.CMD, Level.UNKNOWN, Level.UNKNOWN, Level.INFO]


@pytest.mark.parametrize(
    "line",
    [
        "PROGRESS nonsense",
        'PROGRESS {"doneBytes": -1}',
        'PROGRESS {"doneBytes": "1"}',
        'PROGRESS {"doneBytes": 99999999999999999999}',
        'BACKUP {"epoch": "soon"}',
    ],
)
def test_a_broken_line_is_shown_with_one_warning_and_fails_nothing(
    folder: Folder, call: Call, context: PluginContext, reports: list[Report], line: str
) -> None:
    path = folder.shell("storage", f"echo '{line}'; echo '{line}'", extensions="progress backup")
    assert BasicStorage(path).backup(context) == Result()
    assert reports == []
    assert [level for level, _ in call.said[1:-1]] == [Level.WARN, Level.UNKNOWN, Level.UNKNOWN]
    assert f"The plugin's line {line.split()[0]} is broken" in call.said[1][1]
    assert call.said[2][1] == line


@pytest.fixture
def restoring(context: PluginContext) -> PluginContext:
    made = Backup(name="db-daily-7-1700000000", workflow_id="7", policy="daily")
    return replace(
        context,
        config=CONFIG.for_restore(8, made, 1_700_000_500),
        restore=RestoreRequest(target="/elsewhere", dry_run=True),
    )


def test_more_variables_and_the_restores_request(
    folder: Folder, restoring: PluginContext, tmp_path: Path
) -> None:
    path = folder.shell(
        "storage",
        f"env -0 > '{tmp_path}/env'",
        can="backup restore restoreTarget restoreDryRun",
        extensions="variables",
    )
    assert BasicStorage(path).restore(restoring).code == 0
    found = environment_of((tmp_path / "env").read_text())
    expected = {
        "WorkflowTimestamp": "1700000500",
        "WorkflowType": "restore",
        "ContainerPlatform": "kubernetes",
        "AccessWithinCluster": "",
        "SelectedBackup": "db-daily-7-1700000000",
        "SelectedWorkflowId": "7",
        "BackupPolicy": "daily",
        "RestoreTarget": "/elsewhere",
        "RestoreDryRun": "true",
    }
    assert {name: found.get(name) for name in expected} == expected


def test_no_parameter_changes_what_a_restore_is_asked_for(
    folder: Folder, restoring: PluginContext, tmp_path: Path
) -> None:
    path = folder.shell(
        "storage",
        f"env -0 > '{tmp_path}/env'",
        can="backup restore restoreTarget restoreDryRun",
    )
    given = {"RestoreDryRun": "false", "RestoreTarget": "/", "BackupRetention": "2"}
    assert BasicStorage(path).restore(replace(restoring, parameters=given)).code == 0
    found = environment_of((tmp_path / "env").read_text())
    assert (found["RestoreDryRun"], found["RestoreTarget"]) == ("true", "/elsewhere")
    assert found["BackupRetention"] == "2", "as in Fossul a parameter wins over the other variables"


@pytest.fixture
def reader(folder: Folder, tmp_path: Path) -> Callable[[], Path]:
    """An executable that keeps what it reads, and its environment, and declares a secret."""

    def make() -> Path:
        info = {
            "name": "acme",
            "type": "storage",
            "capabilities": [{"name": c} for c in ("backup", "restore", "restoreTarget", "restoreDryRun")],
            "parameters": [{"name": "Key", "secret": True}, {"name": "Open"}],
            "extensions": ["stdin"],
        }
        return folder.add(
            "storage",
            "acme",
            f"#!/bin/sh\n[ $1 = --info ] && {{ echo '{json.dumps(info)}'; exit; }}\n"
            f"cat > '{tmp_path}/read'\nenv -0 > '{tmp_path}/env'\n",
        )

    return make


def test_the_document_has_what_the_variables_lack(
    reader: Callable[[], Path], restoring: PluginContext, tmp_path: Path
) -> None:
    config = restoring.config.model_copy(
        update={
            "app_plugin_parameters": {"Password": "of another plugin"},
            "storage_plugin_parameters": {"Key": "a reference"},
        }
    )
    parameters = {"Key": "the secret itself", "Open": "o", "Big": "x" * 100_000}
    context = replace(restoring, config=config, parameters=parameters)
    assert BasicStorage(reader()).restore(context).code == 0
    document = json.loads((tmp_path / "read").read_text())
    assert document["action"] == "restore"
    assert document["restore"] == {"target": "/elsewhere", "dryRun": True}
    assert document["config"]["backup"]["name"] == "db-daily-7-1700000000"
    assert document["config"]["workflowTimestamp"] == 1_700_000_500
    assert document["config"]["storagePluginParameters"] == parameters
    assert "of another plugin" not in (tmp_path / "read").read_text()
    found = environment_of((tmp_path / "env").read_text())
    assert found["Open"] == "o"
    assert "Key" not in found, "a secret that can be read need not be where child processes see it"


def test_a_document_that_nobody_reads_is_no_trouble(
    folder: Folder, context: PluginContext, tmp_path: Path
) -> None:
    path = folder.shell("app", "exec <&-; echo INFO y", extensions="stdin")
    big = replace(context, parameters={f"P{n}": "x" * 100_000 for n in range(8)})
    assert BasicApp(path).quiesce(big).code == 0


def test_without_the_extension_there_is_nothing_to_read(
    folder: Folder, call: Call, context: PluginContext
) -> None:
    assert BasicApp(folder.shell("app", "echo INFO $(wc -c)")).quiesce(context).code == 0
    assert call.said[1] == (Level.INFO, "0")
