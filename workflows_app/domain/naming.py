"""Every name that goes on a wire. They are constants: renaming a Python object never renames one."""

import re

from workflows_app.domain.config import Config
from workflows_app.domain.results import Archive, Backup

TASK_QUEUE = "fossul"

BACKUP_WORKFLOW = "fossul.backup"
RESTORE_WORKFLOW = "fossul.restore"
CATALOGUE_WORKFLOW = "fossul.catalogue"
WATCHDOG_WORKFLOW = "fossul.watchdog"
QUEUE_WORKFLOW = "fossul.queue"
SCHEDULED_WORKFLOW = "fossul.scheduled"
ARCHIVES_WORKFLOW = "fossul.archives"
BROWSE_WORKFLOW = "fossul.browse"
VERIFY_WORKFLOW = "fossul.verify"
DELETE_WORKFLOW = "fossul.delete"
CHECK_WORKFLOW = "fossul.check"

APP_DISCOVER = "app.discover"
APP_QUIESCE = "app.quiesce"
APP_UNQUIESCE = "app.unquiesce"
APP_PRE_RESTORE = "app.pre_restore"
APP_POST_RESTORE = "app.post_restore"
STORAGE_BACKUP = "storage.backup"
STORAGE_RETENTION = "storage.retention"
STORAGE_MOUNT = "storage.mount"
STORAGE_UNMOUNT = "storage.unmount"
STORAGE_RESTORE = "storage.restore"
STORAGE_LIST = "storage.list"
STORAGE_BROWSE = "storage.browse"
STORAGE_VERIFY = "storage.verify"
STORAGE_DELETE = "storage.delete"
ARCHIVE_ARCHIVE = "archive.archive"
ARCHIVE_RETENTION = "archive.retention"
ARCHIVE_FETCH = "archive.fetch"
ARCHIVE_LIST = "archive.list"
RECORD_JOB_RETENTION = "record.job_retention"
RECORD_PREPARE = "record.prepare"
RECORD_BEGIN = "record.begin"
RECORD_SKIP = "record.skip"
RECORD_VERIFICATION = "record.verification"
RECORD_REMOVAL = "record.removal"
COMMAND_RUN = "command.run"
APP_CHECK = "app.check"
STORAGE_CHECK = "storage.check"
ARCHIVE_CHECK = "archive.check"
COMMAND_CHECK = "command.check"

STATUS_QUERY = "status"
RETRY_UPDATE = "retry"
SKIP_UPDATE = "skip"
ABORT_UPDATE = "abort"
WINDOW_OVER_SIGNAL = "window_over"
THAWED_SIGNAL = "thawed"
OWED_SIGNAL = "owed"
THAW_SIGNAL = "thaw"
STEP_FAILED = "StepFailed"
NOT_STARTED = "NotStarted"
NOT_NOW = "NotNow"

PAUSE_SUMMARY = "Waiting for a person"
BUDGET_SUMMARY = "Freeze budget"

# The steps of a watchdog have numbers that no step of the run's own will have.
FIRST_WATCHDOG_STEP = 1000

MEMO_RUN = "fossul_run"
MEMO_TYPE = "fossul_type"
MEMO_PROFILE = "fossul_profile"
MEMO_CONFIG = "fossul_config"
MEMO_POLICY = "fossul_policy"
MEMO_VERSION = "fossul_version"
MEMO_REQUESTED_BY = "fossul_requested_by"
MEMO_SCHEDULE = "fossul_schedule"
MEMO_TASK_QUEUE = "fossul_task_queue"
MEMO_SINCE = "fossul_since"
MEMO_MOVED_FROM = "fossul_moved_from"
MEMO_WAS_PAUSED = "fossul_was_paused"
MEMO_NOTE = "fossul_note"
MEMO_MARK = "fossul_mark"

SCHEDULE_PREFIX = "fossul-schedule/"


def question_queue(task_queue: str) -> str:
    """The task queue of what pages ask, beside the one of runs: what hangs there holds up no backup."""
    return f"{task_queue}-questions"


def run_workflow_id(profile: str, config: str) -> str:
    """The workflow id of every run of a configuration: being the same for all, it is their lock."""
    return f"fossul/{profile}/{config}"


def watchdog_workflow_id(profile: str, config: str, run: int) -> str:
    """The workflow id of the watchdog of a run."""
    return f"fossul-watchdog/{profile}/{config}/{run}"


def queue_workflow_id(profile: str, config: str) -> str:
    """The workflow id of what waits for a configuration's lock: being the same for all, one waits at most."""
    return f"fossul-queue/{profile}/{config}"


def schedule_id(profile: str, config: str, policy: str, name: str) -> str:
    """The id of a schedule in Temporal, and the beginning of the ids of the workflows that it starts."""
    return f"{SCHEDULE_PREFIX}{profile}/{config}/{policy}/{name}"


def verify_workflow_id(profile: str, config: str, backup: str) -> str:
    """The workflow id of a verification: being the same for all of a backup, one runs at most."""
    return f"fossul-verify/{profile}/{config}/{backup}"


def check_workflow_id(task_queue: str, seat: int) -> str:
    """The workflow id of tests: as many run at once as there are seats."""
    return f"fossul-check/{task_queue}/{seat}"


def backup_name(config: Config) -> str:
    """The name of the backup that a run makes: ``<BackupName>-<policy>-<workflowId>-<epoch>`` (§7.3).

    ``BackupName`` is a storage plugin parameter; without it the configuration's name stands in.
    """
    base = config.storage_plugin_parameters.get("BackupName") or config.config_name
    return f"{base}-{config.selected_backup_policy}-{config.workflow_id}-{config.workflow_timestamp}"


# The first part may have '-' in it, the policy may not (§7.3).
_BACKUP_NAME = re.compile(r"(\S+)-([^-]+)-(\d+)-(\d+)", re.ASCII)


def parse_backup_name(name: str) -> Backup | None:
    """The backup of that full name, as far as the name tells of it (§7.3); None when it is no backup's."""
    match = _BACKUP_NAME.fullmatch(name)
    if match is None or "/" in name or name.startswith("."):
        return None
    _, policy, run, epoch = match.groups()
    return Backup(name=name, timestamp=epoch, epoch=int(epoch), policy=policy, workflow_id=run)


def base_name(kept: Backup | Archive) -> str:
    """The ``BackupName`` in the full name of a listed backup or archive."""
    return kept.name.removesuffix(f"-{kept.policy}-{kept.workflow_id}-{kept.timestamp}")
