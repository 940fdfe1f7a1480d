"""What activities are asked and answer. Workflows know them by name only; the worker registers
implementations of these classes (architecture.md §2). A step takes a StepInput and answers a Result.
"""

from temporalio import activity

from workflows_app.contracts.checks import CheckInput
from workflows_app.contracts.points import (
    BrowseInput,
    CatalogueInput,
    PointInput,
    Removed,
    Verified,
    VerifyInput,
)
from workflows_app.contracts.schedules import BegunRun, ExpectedRun, PreparedRun, SkippedRun
from workflows_app.contracts.steps import StepInput
from workflows_app.domain import naming
from workflows_app.domain.file_listings import FileListing
from workflows_app.domain.findings import Findings
from workflows_app.domain.results import Archives, Backups, Result


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
