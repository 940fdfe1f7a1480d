"""What activities are asked and answer. Workflows know them by name only; the worker registers
implementations of these classes (architecture.md §2). A step takes a StepInput and answers a Result.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from workflows_app.domain import naming
from workflows_app.domain.config import Config, WhenBusy
from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.findings import CheckPart, Findings
from workflows_app.domain.plans import Plan, StepSpec
from workflows_app.domain.restores import RestoreRequest
from workflows_app.domain.results import Archives, Backups, Result


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


class ScheduledInput(BaseModel):
    """What a schedule asks for when it is due: a backup of a configuration as it then is, under a policy.

    ``name`` is the schedule's, ``cron`` its expression as it was written. ``when_busy`` is what is done
    while the lock is held, None for what the policy says. A worker that comes more than
    ``catch_up_seconds`` late is too late.
    """

    model_config = ConfigDict(frozen=True)

    profile: str
    config: str
    policy: str
    name: str
    cron: str
    when_busy: WhenBusy | None = None
    catch_up_seconds: float


class ExpectedRun(BaseModel):
    """A run that a schedule expects; ``asked`` is when Temporal began to ask a worker for it."""

    model_config = ConfigDict(frozen=True)

    scheduled: ScheduledInput
    asked: datetime


class PreparedRun(BaseModel):
    """The row of an expected run, and what to start; without ``backup`` nothing, and ``refusal`` says why.

    ``failed`` says whether that is a failure. The other values are as in QueueInput.
    """

    model_config = ConfigDict(frozen=True)

    run: int
    backup: BackupInput | None = None
    queues: bool = False
    workflow_id: str = ""
    memo: dict[str, str | int] = {}
    summary: str = ""
    refusal: str = ""
    failed: bool = False


class BegunRun(BaseModel):
    """An expected run that has begun; ``run_id`` is Temporal's."""

    model_config = ConfigDict(frozen=True)

    run: int
    run_id: str


class SkippedRun(BaseModel):
    """An expected run for which the lock was not free; ``queue_full`` when another one waits already."""

    model_config = ConfigDict(frozen=True)

    run: int
    queue_full: bool


class CatalogueInput(BaseModel):
    """Whose backups are asked for."""

    model_config = ConfigDict(frozen=True)

    config: Config


class PointInput(BaseModel):
    """Which restore point is worked on: ``config.backup`` is it. ``by`` is a user's name."""

    model_config = ConfigDict(frozen=True)

    config: Config
    by: str


class VerifyInput(PointInput):
    """A restore point to verify; ``verification`` is the number of the row that tells of it."""

    verification: int


class BrowseInput(BaseModel):
    """Which files of the restore point ``config.backup`` are asked for."""

    model_config = ConfigDict(frozen=True)

    config: Config
    query: FileQuery


class CheckInput(BaseModel):
    """A configuration, stored or only typed, of which ``parts`` are to be tested.

    Secret parameters are sealed in it, and of commands it has only the programs. ``programs`` are those of
    the plan's own commands, by their step's key.
    """

    model_config = ConfigDict(frozen=True)

    config: Config
    parts: tuple[CheckPart, ...]
    programs: dict[str, str] = {}


class Verified(BaseModel):
    """How the verification in row ``verification`` ended; ``state`` is a ``domain.states.CheckState``."""

    model_config = ConfigDict(frozen=True)

    verification: int
    state: str
    words: str


class Removed(BaseModel):
    """That a backup was deleted on purpose; ``how`` says by whom or what."""

    model_config = ConfigDict(frozen=True)

    profile: str
    config: str
    backup: str
    how: str


class StepInput(BaseModel):
    """What one step is given. ``step`` is its number in the run; ``compensates`` when it undoes one.

    ``relies_on_freeze`` says of one that thaws that what freezes was done, and that the run goes on with what
    was copied since.
    """

    model_config = ConfigDict(frozen=True)

    run: int
    step: int
    spec: StepSpec
    config: Config
    compensates: bool = False
    relies_on_freeze: bool = False
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

    @activity.defn(name=naming.STORAGE_BROWSE)
    def browse(self, browse: BrowseInput) -> FileListing:
        """A page of a backup's files; a failure to read them is in ``FileListing.result``."""
        raise NotImplementedError

    @activity.defn(name=naming.STORAGE_VERIFY)
    def verify(self, point: VerifyInput) -> Result:
        """Verify a backup now."""
        raise NotImplementedError

    @activity.defn(name=naming.STORAGE_DELETE)
    def delete(self, point: PointInput) -> Result:
        """Delete a backup that is not held."""
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

    @activity.defn(name=naming.ARCHIVE_LIST)
    def list(self, catalogue: CatalogueInput) -> Archives:
        """The archives that exist now; a failure to read them is in ``Archives.result``."""
        raise NotImplementedError


class RecordActivities:
    """Steps that keep the dashboard's own records."""

    @activity.defn(name=naming.RECORD_JOB_RETENTION)
    def job_retention(self, step: StepInput) -> Result:
        """Delete the records of runs that the configuration does not keep."""
        raise NotImplementedError

    @activity.defn(name=naming.RECORD_VERIFICATION)
    def verification(self, verified: Verified) -> None:
        """Write down how a verification ended."""
        raise NotImplementedError

    @activity.defn(name=naming.RECORD_REMOVAL)
    def removal(self, removed: Removed) -> None:
        """Write down that a backup was deleted on purpose."""
        raise NotImplementedError


class ScheduleActivities:
    """What scheduled runs need of the dashboard's records."""

    @activity.defn(name=naming.RECORD_PREPARE)
    def prepare(self, expected: ExpectedRun) -> PreparedRun:
        """Make the row of an expected run, once, and say what to start: the configuration as it is now."""
        raise NotImplementedError

    @activity.defn(name=naming.RECORD_BEGIN)
    def begin(self, begun: BegunRun) -> None:
        """Link the row of a run with its workflow."""
        raise NotImplementedError

    @activity.defn(name=naming.RECORD_SKIP)
    def skip(self, skipped: SkippedRun) -> str:
        """Close the row of a run that could not have the lock; answer why, in words."""
        raise NotImplementedError


class CommandActivities:
    """Steps that run a command of the configuration."""

    @activity.defn(name=naming.COMMAND_RUN)
    def run(self, step: StepInput) -> Result:
        """Run the command ``step.spec.line``, or the configuration's that ``step.spec.command`` names."""
        raise NotImplementedError


class CheckActivities:
    """Tests of a configuration, outside of any run: they change nothing."""

    @activity.defn(name=naming.APP_CHECK)
    def app(self, check: CheckInput) -> Findings:
        """Try what a run needs of the app plugin."""
        raise NotImplementedError

    @activity.defn(name=naming.STORAGE_CHECK)
    def storage(self, check: CheckInput) -> Findings:
        """Try what a run needs of the storage plugin."""
        raise NotImplementedError

    @activity.defn(name=naming.ARCHIVE_CHECK)
    def archive(self, check: CheckInput) -> Findings:
        """Try what a run needs of the archive plugin."""
        raise NotImplementedError

    @activity.defn(name=naming.COMMAND_CHECK)
    def commands(self, check: CheckInput) -> Findings:
        """Look for the programs of all commands."""
        raise NotImplementedError
