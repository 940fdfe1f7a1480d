"""Steps that do as a test tells them, registered under the product's activity names."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import Worker

from workflows_app.contracts import CatalogueInput, StepInput
from workflows_app.domain import naming
from workflows_app.domain.results import Backup, Backups, Level, Message, Result
from workflows_app.worker import workflow_runner
from workflows_app.workflows.registered import WORKFLOWS

GOOD = Backup(name="app-daily-7-1700000000", policy="daily", workflow_id="7", epoch=1_700_000_000)


class Steps:
    """Notes what was done; ``behave`` maps a step's key to what it does instead of succeeding."""

    def __init__(self, behave: dict[str, Callable[[StepInput], Result]] | None = None) -> None:
        self.behave = behave or {}
        self.done: list[str] = []
        self._lock = threading.Lock()

    def _do(self, step: StepInput) -> Result:
        with self._lock:
            self.done.append(f"undo {step.spec.key}" if step.compensates else step.spec.key)
        act = self.behave.get(step.spec.key)
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

    @activity.defn(name=naming.RECORD_JOB_RETENTION)
    def job_retention(self, step: StepInput) -> Result:
        return self._do(step)

    @activity.defn(name=naming.COMMAND_RUN)
    def run(self, step: StepInput) -> Result:
        return self._do(step)

    @asynccontextmanager
    async def worker(self, client: Client, task_queue: str, *, cached: int = 1000):
        """A worker that does these steps. With ``cached=0`` every workflow task replays the history."""
        with ThreadPoolExecutor(10) as pool:
            async with Worker(
                client,
                task_queue=task_queue,
                workflows=WORKFLOWS,
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
                    self.job_retention,
                    self.run,
                ],
                activity_executor=pool,
                workflow_runner=workflow_runner(),
                max_cached_workflows=cached,
            ):
                yield self


def say_no(step: StepInput) -> Result:
    """The step answers a failure of its own."""
    return Result(code=1, messages=(Message(level=Level.ERROR, message=f"{step.spec.key} said no"),))


def crash(step: StepInput) -> Result:
    """The step's code breaks."""
    raise ApplicationError(f"{step.spec.key} broke")


def succeed_after(times: int, act: Callable[[StepInput], Result]) -> Callable[[StepInput], Result]:
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
