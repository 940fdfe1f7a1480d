"""What executables may do beyond Fossul's protocol, when they declare it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.conftest import Call
from workflows_app.activities.abilities import archive_abilities, storage_abilities
from workflows_app.domain.config import Config
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.file_listings import FileQuery
from workflows_app.domain.results import Backup
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.basic.plugins import BasicArchive, BasicStorage

NAME = "shop-daily-12-1700000012"
Made = Callable[..., Path]


@pytest.fixture
def executable(tmp_path: Path) -> Made:
    """An executable that declares some capabilities, and for anything but --info does ``body``."""

    def make(body: str, *capabilities: str) -> Path:
        info = {"name": "x", "type": "storage", "capabilities": [{"name": name} for name in capabilities]}
        path = tmp_path / f"plugin-{len(list(tmp_path.iterdir()))}"
        path.write_text(
            f"#!/bin/sh\nif [ \"$1\" = --info ]; then printf '%s' '{json.dumps(info)}'; exit; fi\n{body}\n"
        )
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def context(call: Call) -> PluginContext:
    backup = Backup(name=NAME, policy="daily", workflow_id="12", epoch=1_700_000_012)
    config = Config(profile_name="p", config_name="shop", backup=backup)
    return replace(call.context, config=config)


def said(call: Call) -> list[str]:
    return [text for _, text in call.said]


def test_an_executable_can_what_it_declares(executable: Made) -> None:
    able = BasicStorage(executable("", "backup", "backupVerify", "backupBrowse"))
    assert sorted(storage_abilities(able)) == ["browse", "verify"]
    assert storage_abilities(BasicStorage(executable("exit 1", "backup"))) == ()
    assert (
        storage_abilities(BasicStorage(executable("", "info"))) == ()
    )  # nothing declared is Fossul's all, not ours
    assert archive_abilities(BasicArchive(executable("", "archiveFetch"))) == ("fetch",)
    assert archive_abilities(BasicArchive(executable("", "archive"))) == ()


def test_what_is_not_declared_is_refused_and_not_called(
    executable: Made, context: PluginContext, tmp_path: Path
) -> None:
    plugin = BasicStorage(executable(f"touch {tmp_path}/called", "backup"))
    for action in (plugin.backup_verify, plugin.backup_delete):
        with pytest.raises(PluginFailed, match="does not declare the capability"):
            action(context)
    with pytest.raises(PluginFailed, match="does not declare the capability"):
        plugin.backup_browse(context, FileQuery())
    assert not (tmp_path / "called").exists()


def test_verify_is_told_which_backup_and_says_no_by_its_status(
    executable: Made, context: PluginContext, call: Call
) -> None:
    good = BasicStorage(executable('echo "INFO $1 $SelectedBackup $SelectedWorkflowId"', "backupVerify"))
    assert good.backup_verify(context).code == 0
    assert f"--backupVerify {NAME} 12" in said(call)
    with pytest.raises(PluginFailed, match=f"says that {NAME} is not good"):
        BasicStorage(executable("echo ERROR damaged; exit 3", "backupVerify")).backup_verify(context)
    assert "damaged" in said(call)


def test_a_held_backup_is_not_deleted(
    executable: Made, context: PluginContext, tmp_path: Path, call: Call
) -> None:
    plugin = BasicStorage(
        executable(f'echo "INFO gone $SelectedBackup"; touch {tmp_path}/called', "backupDelete")
    )
    with pytest.raises(PluginFailed, match="is held"):
        plugin.backup_delete(replace(context, held=lambda: frozenset({NAME})))
    assert not (tmp_path / "called").exists()
    assert plugin.backup_delete(context).code == 0
    assert f"gone {NAME}" in said(call)


def test_browse_is_asked_for_a_page_and_answers_one(executable: Made, context: PluginContext) -> None:
    body = (
        'printf \'{"entries":[{"path":"/a","key":"%s|%s|%s|%s","type":"file","size":3}],"total":7}\' '
        '"$BrowseFolder" "$BrowseSearch" "$BrowseOffset" "$BrowseLimit"'
    )
    plugin = BasicStorage(executable(body, "backupBrowse"))
    page = plugin.backup_browse(context, FileQuery(folder="/f%20g", search="x y", offset=4, limit=2))
    assert (page.total, page.entries[0].path, page.entries[0].size) == (7, "/a", 3)
    assert page.entries[0].key == "/f%20g|x y|4|2"
    with pytest.raises(PluginFailed, match="BackupBrowse failed"):
        BasicStorage(executable("echo '[]'", "backupBrowse")).backup_browse(context, FileQuery())


def test_retention_is_told_what_is_held_when_it_spares_that(
    executable: Made, context: PluginContext, call: Call
) -> None:
    config = context.config.model_copy(update={"selected_backup_retention": 1})
    holding = replace(context, config=config, held=lambda: frozenset({"b", "a"}))
    spares = BasicStorage(executable('echo "INFO held $HeldBackups"', "backupDeleteWorkflow", "holds"))
    assert spares.backup_delete_workflow(holding).code == 0
    assert "held a b" in said(call)
    assert spares.declares("holds")
    other = BasicStorage(executable('echo "INFO told ${HeldBackups-nothing}"', "backupDeleteWorkflow"))
    other.backup_delete_workflow(holding)
    assert "told nothing" in said(call)
    assert not other.declares("holds")


def test_fetch_brings_an_archive_back_by_its_name(
    executable: Made, context: PluginContext, call: Call
) -> None:
    plugin = BasicArchive(executable('echo "INFO back $SelectedArchive"', "archiveFetch"))
    assert plugin.fetch(context, NAME).code == 0
    assert f"back {NAME}" in said(call)
    with pytest.raises(PluginFailed, match="does not declare"):
        BasicArchive(executable("", "archive")).fetch(context, NAME)


def test_chosen_files_are_restored_by_one_that_declares_it(
    executable: Made, context: PluginContext, call: Call
) -> None:
    asked = replace(context, restore=RestoreRequest(files=("/a%20b", "/c")))
    asked = replace(asked, config=asked.config.model_copy(update={"selected_workflow_id": 12}))
    plugin = BasicStorage(executable('echo "INFO files $RestoreFiles"', "restore", "restoreFiles"))
    assert plugin.restore(asked).code == 0
    assert "files /a%20b /c" in said(call)
    with pytest.raises(PluginFailed, match="restores whole backups only"):
        BasicStorage(executable("", "restore")).restore(asked)
    many = replace(asked, restore=RestoreRequest(files=("/a" * 100_000,)))
    with pytest.raises(ConfigInvalid, match="files"):
        plugin.restore(many)
