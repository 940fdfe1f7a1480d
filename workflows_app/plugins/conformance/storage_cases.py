"""What a storage plugin promises; looked at with generated files in the scratch folder."""

from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.basic.description import RESTORE_TARGET, Description
from workflows_app.plugins.conformance.cases import Case
from workflows_app.plugins.conformance.scratch import differences
from workflows_app.plugins.conformance.stored import listed, made, need_storage
from workflows_app.plugins.conformance.trial import (
    RUNS,
    CaseFailed,
    CaseSkipped,
    Trial,
    restore_config,
    run_config,
)


def _empty_list(trial: Trial) -> str:
    need_storage(trial, "backupList")
    if found := listed(trial):
        raise CaseFailed(f"it lists {found[0].name}, which nobody made")
    return ""


def _backup(trial: Trial) -> str:
    need_storage(trial, "backup", "backupList")
    names = []
    for number, policy in RUNS:
        trial.scratch.fill(number)
        names.append(trial.done("backup", run_config(number, policy)).backup.name)
        backup = made(trial, number)
        if backup.policy != policy:
            raise CaseFailed(f"the backup of policy {policy!r} is listed under {backup.policy!r}")
        if names[-1] and names[-1] != backup.name:
            raise CaseFailed(f"backup answered {names[-1]!r}, and backupList {backup.name!r}")
    return (
        "" if names[0] else "it does not answer what it made: its size and name are not in the run's record"
    )


def _list_facts(trial: Trial) -> str:
    need_storage(trial, "backup", "backupList")
    found = listed(trial)
    if len(found) != len(RUNS) or len({backup.name for backup in found}) != len(RUNS):
        raise CaseFailed(f"{len(RUNS)} backups were made, and it lists {[backup.name for backup in found]}")
    for backup in found:
        if backup.epoch <= 0:
            raise CaseFailed(f"{backup.name} has no epoch, so nobody knows when it was made")
    return ", ".join(sorted(backup.name for backup in found))


def _dry_run(trial: Trial) -> str:
    need_storage(trial, "backup", "backupList", "restore")
    backup = made(trial, 1)
    trial.scratch.fill(0)
    before = trial.scratch.snapshot()
    refused = trial.refuses("restore", restore_config(backup), RestoreRequest(dry_run=True))
    if trial.scratch.snapshot() != before:
        raise CaseFailed("a dry run changed files")
    return "it refuses dry runs" if refused else ""


def _restore_in_place(trial: Trial) -> str:
    need_storage(trial, "backup", "backupList", "restore")
    backup = made(trial, 1)
    files = trial.scratch.fill(1)
    trial.scratch.fill(0)
    (trial.scratch.source / "folder" / "bytes.bin").unlink()
    trial.done("restore", restore_config(backup))
    if difference := differences(trial.scratch.source, files):
        raise CaseFailed(f"after the restore of run 1, {difference}")
    return ""


def _restore_elsewhere(trial: Trial) -> str:
    need_storage(trial, "backup", "backupList", "restore")
    if isinstance(trial.info, Description) and not trial.info.can(RESTORE_TARGET):
        raise CaseSkipped(f"the plugin does not declare {RESTORE_TARGET}")
    backup = made(trial, 12)
    files = trial.scratch.fill(12)
    trial.scratch.fill(0)
    before = trial.scratch.snapshot()
    trial.done("restore", restore_config(backup), RestoreRequest(target=str(trial.scratch.restored)))
    landed = trial.scratch.restored / trial.scratch.source.relative_to("/")
    if difference := differences(landed, files):
        raise CaseFailed(f"after the restore of run 12, {difference}")
    after = trial.scratch.snapshot()
    if any(after.get(name, b"gone") != content for name, content in before.items()):
        raise CaseFailed("it changed files outside of the target")
    return ""


def _keep_none(trial: Trial) -> str:
    need_storage(trial, "backup", "backupList", "backupDeleteWorkflow")
    before = listed(trial)
    refused = trial.refuses("backup_delete_workflow", run_config(12, keep=0))
    if listed(trial) != before:
        raise CaseFailed("a retention of 0 deleted backups")
    if not refused:
        raise CaseFailed("a retention of 0 was not refused")
    return ""


def _retention(trial: Trial) -> str:
    need_storage(trial, "backup", "backupList", "backupDeleteWorkflow")
    trial.done("backup_delete_workflow", run_config(12, keep=1))
    left = sorted(backup.workflow_id for backup in listed(trial))
    if left != ["12", "2"]:
        raise CaseFailed(
            f"of the runs 1, 12 and, of another policy, 2, those of {left} are left instead of 12 and 2"
        )
    return ""


def _mount(trial: Trial) -> str:
    need_storage(trial, "backup")
    for method in ("mount", "unmount", "unmount"):
        trial.done(method, run_config(12))
    return ""


CASES = (
    Case("backupList is empty at first", _empty_list),
    Case("backup makes a backup that is listed", _backup),
    Case("backupList tells the facts of each", _list_facts),
    Case("a dry run of a restore changes nothing", _dry_run),
    Case("restore brings back exactly the backup that is asked for", _restore_in_place),
    Case("restore writes to another folder", _restore_elsewhere),
    Case("retention refuses to keep none", _keep_none),
    Case("retention deletes what the policy does not keep", _retention),
    Case("unmount may be called again", _mount),
)
