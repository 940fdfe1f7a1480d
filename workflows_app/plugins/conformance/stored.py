"""The backups that the cases of a storage plugin make and look at."""

from workflows_app.domain.errors import FossulError
from workflows_app.domain.results import Backup
from workflows_app.plugins.conformance.scratch import SOURCE_PARAMETER, TARGET_PARAMETER
from workflows_app.plugins.conformance.trial import CaseFailed, Trial, run_config


def need_storage(trial: Trial, *capabilities: str) -> None:
    """Raise CaseSkipped unless the plugin has these and works in the scratch folder."""
    for capability in capabilities:
        trial.need(capability)
    trial.need_scratch(SOURCE_PARAMETER, TARGET_PARAMETER)


def listed(trial: Trial) -> tuple[Backup, ...]:
    """The backups that the plugin lists, whatever run asks. Raises CaseFailed for another answer."""
    found = trial.ask("backup_list", run_config(99))
    if not isinstance(found, tuple) or not all(isinstance(backup, Backup) for backup in found):
        raise CaseFailed(f"backup_list answered {type(found).__name__}, not a tuple of Backup")
    return found


def made(trial: Trial, number: int) -> Backup:
    """The backup that run ``number`` made. Raises CaseFailed unless exactly one is listed."""
    try:
        found = [backup for backup in listed(trial) if backup.workflow_id == str(number)]
    except FossulError as error:
        raise CaseFailed(f"the backups cannot be listed: {error}") from None
    if len(found) != 1:
        raise CaseFailed(f"it lists {len(found)} backups of run {number}, which made one")
    return found[0]
