"""What activities are asked and answer. Workflows know them by name only; the worker registers
implementations of these classes (architecture.md §2). A step takes a StepInput and answers a Result.
"""

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.plans import Plan, StepSpec
from workflows_app.domain.restores import RestoreRequest
from workflows_app.domain.results import Backups, Result


class RunInput(BaseModel):
    """What every run is started with: what was clicked is what runs.

    ``run`` is the run's number, ``requested_by`` a user's name.
    """

    model_config = ConfigDict(frozen=True)

    run: int
    config: Config
    plan: Plan
    requested_by: str


class BackupInput(RunInput):
    """What a backup is started with; ``resumes`` is the failed run whose rest it takes, 0 for none."""

    resumes: int = 0


class RestoreInput(RunInput):
    """What a restore is started with; ``config.backup`` is what is restored."""

    request: RestoreRequest


class Decision(BaseModel):
    """What a person says while a run waits for one: of which step (its number), and who says it."""

    model_config = ConfigDict(frozen=True)

    step: int
    by: str


class WatchdogInput(BaseModel):
    """What a watchdog guards: the steps that undo what the run ``run`` froze.

    It acts once ``budget_seconds`` are over. Its own steps are numbered from ``first_step``, in the same
    run. ``workflow_id`` and ``run_id`` are where Temporal has the run, to be told.
    """

    model_config = ConfigDict(frozen=True)

    run: int
    config: Config
    owed: tuple[StepSpec, ...]
    budget_seconds: float
    first_step: int
    workflow_id: str
    run_id: str


class ThawOrder(BaseModel):
    """A person's order to thaw now; ``also`` are further steps to take, the first ones first."""

    model_config = ConfigDict(frozen=True)

    by: str
    also: tuple[StepSpec, ...] = ()


class ThawReport(BaseModel):
    """What a watchdog did, by the steps' keys, and why it did it."""

    model_config = ConfigDict(frozen=True)

    reason: str
    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class QueueInput(BaseModel):
    """A backup that waits for its configuration's lock; ``memo`` and ``summary`` are what it starts with."""

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    backup: BackupInput
    memo: dict[str, str | int]
    summary: str


class CatalogueInput(BaseModel):
    """Whose backups are asked for."""

    model_config = ConfigDict(frozen=True)

    config: Config


class StepInput(BaseModel):
    """What one step is given. ``step`` is its number in the run; ``compensates`` when it undoes one."""

    model_config = ConfigDict(frozen=True)

    run: int
    step: int
    spec: StepSpec
    config: Config
    compensates: bool = False
    restore: RestoreRequest = RestoreRequest()


class AppActivities:
    """Steps that an app plugin does."""

    @activity.defn(name=naming.APP_DISCOVER)
    def discover(self, step: StepInput) -> Result:
        """Find the application's data and logs; ``Result.discover_list`` tells of them."""
        raise NotImplementedError

    @activity.defn(name=naming.APP_QUIESCE)
    def quiesce(self, step: StepInput) -> Result:
        """Freeze the application."""
        raise NotImplementedError

    @activity.defn(name=naming.APP_UNQUIESCE)
    def unquiesce(self, step: StepInput) -> Result:
        """Thaw the application."""
        raise NotImplementedError

    @activity.defn(name=naming.APP_PRE_RESTORE)
    def pre_restore(self, step: StepInput) -> Result:
        """Make the application ready for its data to be replaced."""
        raise NotImplementedError

    @activity.defn(name=naming.APP_POST_RESTORE)
    def post_restore(self, step: StepInput) -> Result:
        """Let the application take up its restored data."""
        raise NotImplementedError


class StorageActivities:
    """Steps that a storage plugin does."""

    @activity.defn(name=naming.STORAGE_BACKUP)
    def backup(self, step: StepInput) -> Result:
        """Make the backup; ``Result.backup`` tells of it."""
        raise NotImplementedError

    @activity.defn(name=naming.STORAGE_RETENTION)
    def retention(self, step: StepInput) -> Result:
        """Delete the backups that the run's policy does not keep."""
        raise NotImplementedError

    @activity.defn(name=naming.STORAGE_MOUNT)
    def mount(self, step: StepInput) -> Result:
        """Make the run's backup readable for the archive plugin."""
        raise NotImplementedError

    @activity.defn(name=naming.STORAGE_UNMOUNT)
    def unmount(self, step: StepInput) -> Result:
        """Undo the mount."""
        raise NotImplementedError

    @activity.defn(name=naming.STORAGE_RESTORE)
    def restore(self, step: StepInput) -> Result:
        """Restore ``step.config.backup`` as ``step.restore`` asks."""
        raise NotImplementedError

    @activity.defn(name=naming.STORAGE_LIST)
    def list(self, catalogue: CatalogueInput) -> Backups:
        """The backups that exist now; a failure to read them is in ``Backups.result``."""
        raise NotImplementedError


class ArchiveActivities:
    """Steps that an archive plugin does."""

    @activity.defn(name=naming.ARCHIVE_ARCHIVE)
    def archive(self, step: StepInput) -> Result:
        """Copy the run's backup to second storage."""
        raise NotImplementedError

    @activity.defn(name=naming.ARCHIVE_RETENTION)
    def retention(self, step: StepInput) -> Result:
        """Delete the archives that the run's policy does not keep."""
        raise NotImplementedError

    @activity.defn(name=naming.ARCHIVE_FETCH)
    def fetch(self, step: StepInput) -> Result:
        """Bring the archived backup ``step.config.backup`` back to the storage."""
        raise NotImplementedError


class RecordActivities:
    """Steps that keep the dashboard's own records."""

    @activity.defn(name=naming.RECORD_JOB_RETENTION)
    def job_retention(self, step: StepInput) -> Result:
        """Delete the records of runs that the configuration does not keep."""
        raise NotImplementedError


class CommandActivities:
    """Steps that run a command of the configuration."""

    @activity.defn(name=naming.COMMAND_RUN)
    def run(self, step: StepInput) -> Result:
        """Run the command ``step.spec.line``, or the configuration's that ``step.spec.command`` names."""
        raise NotImplementedError
