"""Steps that do as a test tells them, registered under the product's activity names."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import Worker

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
from workflows_app.domain.naming import FIRST_WATCHDOG_STEP
from workflows_app.domain.results import Archives, Backup, Backups, Level, Message, Result
from workflows_app.worker import shut_down, workflow_runner
from workflows_app.workflows.registered import WORKFLOWS

Act = Callable[[StepInput], Result]

THREADS = 50
GOOD = Backup(name="app-daily-7-1700000000", policy="daily", workflow_id="7", epoch=1_700_000_000)


class Steps:
    """Notes what was done; ``behave`` maps a step's key to what it does instead of succeeding.

    ``behave_in`` does so for the steps of one run, by the run's number, where many runs share a worker.
    ``prepared`` is what a scheduled run is answered that asks for its row.
    """

    prepared = PreparedRun(run=1, refusal="nothing is expected of these steps")

    def __init__(
        self,
        behave: dict[str, Act] | None = None,
        behave_in: dict[int, dict[str, Act]] | None = None,
    ) -> None:
        self.behave = behave or {}
        self.behave_in = behave_in or {}
        self.taken: list[StepInput] = []
        self._lock = threading.Lock()

    @property
    def done(self) -> list[str]:
        """What was taken, in order: a step's key, after ``undo`` where it was to undo."""
        return [words_of(step) for step in self.taken]

    def done_in(self, run: int) -> list[str]:
        """What was taken in one run."""
        return [words_of(step) for step in self.taken if step.run == run]

    @property
    def done_by_watchdog(self) -> list[str]:
        """What a watchdog took, and not the run itself."""
        return [words_of(step) for step in self.taken if step.step >= FIRST_WATCHDOG_STEP]

    def _do(self, step: StepInput) -> Result:
        with self._lock:
            self.taken.append(step)
        act = self.behave_in.get(step.run, self.behave).get(step.spec.key)
        if act is not None:
            return act(step)
        return Result(
            messages=(Message(level=Level.INFO, message=f"did {step.spec.key}"),),
            backup=GOOD if step.spec.activity == naming.STORAGE_BACKUP else Backup(),
        )

    @activity.defn(name=naming.APP_DISCOVER)
    def discover(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.APP_QUIESCE)
    def quiesce(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.APP_UNQUIESCE)
    def unquiesce(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.STORAGE_BACKUP)
    def backup(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.APP_PRE_RESTORE)
    def pre_restore(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.APP_POST_RESTORE)
    def post_restore(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.STORAGE_RESTORE)
    def restore(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.STORAGE_LIST)
    def list(self, catalogue: CatalogueInput) -> Backups:
        return Backups(backup=(GOOD,), result=Result())

    @activity.defn(name=naming.STORAGE_BROWSE)
    def browse(self, browse: BrowseInput) -> FileListing:
        return FileListing()

    @activity.defn(name=naming.STORAGE_VERIFY)
    def verify(self, point: VerifyInput) -> Result:
        return Result()

    @activity.defn(name=naming.STORAGE_DELETE)
    def delete(self, point: PointInput) -> Result:
        return Result()

    @activity.defn(name=naming.ARCHIVE_LIST)
    def list_archives(self, catalogue: CatalogueInput) -> Archives:
        return Archives(result=Result())

    @activity.defn(name=naming.RECORD_VERIFICATION)
    def verification(self, verified: Verified) -> None: ...

    @activity.defn(name=naming.RECORD_REMOVAL)
    def removal(self, removed: Removed) -> None: ...

    @activity.defn(name=naming.APP_CHECK)
    def check_app(self, check: CheckInput) -> Findings:
        return Findings()

    @activity.defn(name=naming.STORAGE_CHECK)
    def check_storage(self, check: CheckInput) -> Findings:
        return Findings()

    @activity.defn(name=naming.ARCHIVE_CHECK)
    def check_archive(self, check: CheckInput) -> Findings:
        return Findings()

    @activity.defn(name=naming.COMMAND_CHECK)
    def check_commands(self, check: CheckInput) -> Findings:
        return Findings()

    @activity.defn(name=naming.STORAGE_RETENTION)
    def backup_retention(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.STORAGE_MOUNT)
    def mount(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.STORAGE_UNMOUNT)
    def unmount(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.ARCHIVE_ARCHIVE)
    def archive(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.ARCHIVE_RETENTION)
    def archive_retention(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.ARCHIVE_FETCH)
    def fetch(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.RECORD_PREPARE)
    def prepare(self, expected: ExpectedRun) -> PreparedRun:
        return self.prepared

    @activity.defn(name=naming.RECORD_BEGIN)
    def begin(self, begun: BegunRun) -> None:
        return None

    @activity.defn(name=naming.RECORD_SKIP)
    def skip(self, skipped: SkippedRun) -> str:
        return ""

    @activity.defn(name=naming.RECORD_JOB_RETENTION)
    def job_retention(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.COMMAND_RUN)
    def run(self, step: StepInput) -> Result:
        return self._do(step)

    @asynccontextmanager
    async def worker(self, client: Client, task_queue: str, *, workflows: Sequence[type] = WORKFLOWS):
        """A worker that does these steps."""
        with ThreadPoolExecutor(THREADS) as pool:
            worker = Worker(
                client,
                task_queue=task_queue,
                workflows=workflows,
                activities=[
                    self.discover,
                    self.quiesce,
                    self.unquiesce,
                    self.pre_restore,
                    self.post_restore,
                    self.restore,
                    self.list,
                    self.backup,
                    self.backup_retention,
                    self.mount,
                    self.unmount,
                    self.archive,
                    self.archive_retention,
                    self.fetch,
                    self.job_retention,
                    self.browse,
                    self.verify,
                    self.delete,
                    self.list_archives,
                    self.verification,
                    self.removal,
                    self.prepare,
                    self.begin,
                    self.skip,
                    self.run,
                    self.check_app,
                    self.check_storage,
                    self.check_archive,
                    self.check_commands,
                ],
                activity_executor=pool,
                workflow_runner=workflow_runner(),
                max_concurrent_activities=THREADS,
                max_heartbeat_throttle_interval=timedelta(seconds=0.2),
            )
            running = asyncio.create_task(worker.run())
            try:
                yield self
            finally:
                await shut_down({worker: running}, lambda: False)
                await running


def words_of(step: StepInput) -> str:
    return f"undo {step.spec.key}" if step.compensates else step.spec.key


def say_no(step: StepInput) -> Result:
    """The step answers a failure of its own."""
    return Result(code=1, messages=(Message(level=Level.ERROR, message=f"{step.spec.key} said no"),))


def crash(step: StepInput) -> Result:
    """The step's code breaks."""
    raise ApplicationError(f"{step.spec.key} broke")


def succeed_after(times: int, act: Act) -> Act:
    """The step does ``act`` the first ``times`` times, then succeeds."""
    left = [times]

    def do(step: StepInput) -> Result:
        if left[0]:
            left[0] -= 1
            return act(step)
        return Result()

    return do


class Held:
    """A step that stays where it is until the test lets it go or it is cancelled."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()
        self.ended = threading.Event()

    def __call__(self, step: StepInput) -> Result:
        self.entered.set()
        try:
            while not self.release.wait(0.05):
                activity.heartbeat()
                if activity.is_cancelled():
                    raise CancelledError("cancelled")
            return Result()
        finally:
            self.ended.set()


class Silent:
    """A step that gives no sign of life and has no end until the test lets it go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()

    def __call__(self, step: StepInput) -> Result:
        self.entered.set()
        self.release.wait(60)
        return Result()
