"""What an archive plugin promises; looked at with backups of ``filesystem`` in the scratch folder."""

from dataclasses import replace

from workflows_app.domain.config import Config
from workflows_app.domain.results import Archive, Result
from workflows_app.plugins.base import FETCH, PluginContext
from workflows_app.plugins.conformance.cases import Case
from workflows_app.plugins.conformance.scratch import ARCHIVE_PARAMETER
from workflows_app.plugins.conformance.trial import (
    POLICY,
    RUNS,
    CaseFailed,
    Trial,
    run_config,
)
from workflows_app.plugins.filesystem.plugin import plugin as filesystem


def _empty_list(trial: Trial) -> str:
    _need(trial, "archiveList")
    if found := _list(trial):
        raise CaseFailed(f"it lists {found[0].name}, which nobody made")
    return ""


def _archive(trial: Trial) -> str:
    _need(trial, "archive", "archiveList")
    for number, policy in RUNS:
        trial.done("archive", _with_backup(trial, number, policy))
        found = [archive for archive in _list(trial) if archive.workflow_id == str(number)]
        if len(found) != 1 or found[0].policy != policy:
            raise CaseFailed(f"run {number} of policy {policy!r} is listed as {[a.name for a in found]}")
    return ""


def _keep_none(trial: Trial) -> str:
    _need(trial, "archive", "archiveList", "archiveDelete")
    before = _list(trial)
    refused = trial.refuses("archive_delete", run_config(12, keep=0))
    if _list(trial) != before:
        raise CaseFailed("a retention of 0 deleted archives")
    return "it is refused" if refused else "nothing is done"


def _retention(trial: Trial) -> str:
    _need(trial, "archive", "archiveList", "archiveDelete")
    trial.done("archive_delete", run_config(12, keep=1))
    left = sorted(archive.workflow_id for archive in _list(trial))
    if left != ["12", "2"]:
        raise CaseFailed(
            f"of the runs 1, 12 and, of another policy, 2, those of {left} are left instead of 12 and 2"
        )
    return ""


def _fetch(trial: Trial) -> str:
    _need(trial, "archive", "archiveList", FETCH)
    archive = next((found for found in _list(trial) if found.workflow_id == "12"), None)
    if archive is None:
        raise CaseFailed("the archive of run 12, which the retention had to keep, is not listed")
    config = _stored(trial, 99)
    call = PluginContext(config=config, parameters=trial.scratch.parameters, say=lambda level, text: None)
    kept = next(found for found in filesystem.backup_list(call) if found.workflow_id == "12")
    call = replace(call, config=config.model_copy(update={"backup": kept}))
    filesystem.backup_delete(call)
    result = trial.ask("fetch", config, name=archive.name)
    if not isinstance(result, Result) or result.code:
        raise CaseFailed(f"fetch answered {result!r}")
    if kept not in filesystem.backup_list(call):
        raise CaseFailed("the archive was fetched, and the storage does not list the backup")
    filesystem.backup_verify(call)
    return ""


def _need(trial: Trial, *capabilities: str) -> None:
    for capability in capabilities:
        trial.need(capability)
    trial.need_scratch(ARCHIVE_PARAMETER)


def _with_backup(trial: Trial, number: int, policy: str) -> Config:
    """A run that has made its backup."""
    trial.scratch.fill(number)
    config = _stored(trial, number, policy)
    call = PluginContext(config=config, parameters=trial.scratch.parameters, say=lambda level, text: None)
    return config.model_copy(update={"backup": filesystem.backup(call).backup})


def _stored(trial: Trial, number: int, policy: str = POLICY) -> Config:
    """The configuration of a run whose backups ``filesystem`` keeps."""
    given = dict(trial.scratch.parameters)
    return run_config(number, policy, storage_plugin="filesystem", storage_plugin_parameters=given)


def _list(trial: Trial) -> tuple[Archive, ...]:
    found = trial.ask("archive_list", run_config(99))
    if not isinstance(found, tuple) or not all(isinstance(archive, Archive) for archive in found):
        raise CaseFailed(f"archive_list answered {type(found).__name__}, not a tuple of Archive")
    return found


CASES = (
    Case("archiveList is empty at first", _empty_list),
    Case("archive makes an archive that is listed", _archive),
    Case("retention never deletes all archives", _keep_none),
    Case("retention deletes what the policy does not keep", _retention),
    Case("fetch brings a backup back, whole", _fetch),
)
