"""The worker: puts registry, activities and workflows together, runs them, and leaves in good order."""

import asyncio
import dataclasses
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import FrameType
from typing import Any

from django.conf import settings
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import (
    RestrictedWorkflowAccessError,
    SandboxedWorkflowRunner,
    SandboxMatcher,
    SandboxRestrictions,
)

from workflows_app.activities.build import build_activities, build_questions
from workflows_app.activities.execution import StepExecution
from workflows_app.activities.message_log import MessageLog
from workflows_app.activities.pulse import Pulse
from workflows_app.domain import naming
from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.plugins.registry import PluginRegistry
from workflows_app.services.configurations.plugins import keep_published
from workflows_app.services.notices.notifier import Notifier
from workflows_app.services.recording.recorder import Recorder
from workflows_app.services.temporal.client import connect
from workflows_app.workflows.registered import QUESTIONS, WORKFLOWS

logger = logging.getLogger(__name__)

FORBIDDEN_IN_WORKFLOWS = ("django", "channels", "asgiref")
CONNECT_RETRY_SECONDS = 1.0
# Once nothing runs any more, a worker ends within milliseconds, or never.
END_SECONDS = 30.0
# A page waits no longer for its answer.
QUESTION_SECONDS = 10.0

Activities = Sequence[Callable[..., Any]]


@dataclasses.dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker runs.

    ``activities`` steps at most at once, and beside them ``questions`` of pages; ``grace_seconds`` is how
    long a running step may go on after the first signal before it is cancelled; ``record`` says whether it
    also keeps the run rows, sends notices and tells the pages of its plugins.
    """

    task_queue: str
    activities: int = 20
    questions: int = 8
    workflow_tasks: int = 20
    grace_seconds: float = 600
    record: bool = True


def workflow_runner() -> SandboxedWorkflowRunner:
    """Temporal's sandbox, which here also refuses workflows that import Django (architecture.md, §2)."""
    defaults = SandboxRestrictions.default
    everything = SandboxMatcher(match_self=True, use={"*"})
    app = SandboxMatcher(children={"models": everything, "services": everything, "web": everything})
    banned = dict.fromkeys(FORBIDDEN_IN_WORKFLOWS, everything) | {"workflows_app": app}
    return SandboxedWorkflowRunner(
        restrictions=dataclasses.replace(
            defaults, invalid_modules=defaults.invalid_modules | SandboxMatcher(children=banned)
        )
    )


def _identity() -> str:
    """The worker's name in Temporal."""
    return f"{os.getpid()}@{socket.gethostname()}"


def _worker(client: Client, pool: ThreadPoolExecutor, **options: Any) -> Worker:
    """A worker of Temporal's; ``options`` are its own. Raises RuntimeError for what the sandbox refuses."""
    try:
        return Worker(
            client,
            identity=_identity(),
            activity_executor=pool,
            workflow_runner=workflow_runner(),
            max_heartbeat_throttle_interval=timedelta(seconds=1),
            default_heartbeat_throttle_interval=timedelta(seconds=1),
            **options,
        )
    except RuntimeError as error:
        if isinstance(error.__cause__, RestrictedWorkflowAccessError):
            banned = error.__cause__.qualified_name
            raise RuntimeError(f"{error}: it uses {banned}, which no workflow may.") from error
        raise


async def shut_down(running: Mapping[Worker, asyncio.Task[None]], busy: Callable[[], bool]) -> None:
    """Let Temporal's workers, each with the task of its ``run``, come to their end.

    Their library now and then waits for ever in its last step, ``finalize_shutdown`` (seen with temporalio
    1.35 after an activity had missed its heartbeats). So once nothing is ``busy`` that is given up.
    """
    left = {worker: task for worker, task in running.items() if not task.done()}
    ending = [asyncio.create_task(worker.shutdown()) for worker in left]
    while ending:
        _, pending = await asyncio.wait(ending, timeout=END_SECONDS)
        ending = list(pending)
        if ending and not busy():
            logger.warning("Temporal's library does not end this worker. Nothing runs any more: it is left")
            for task in left.values():
                task.cancel()


class WorkerRunner:
    """Runs one worker until it is told to stop."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._stop = asyncio.Event()
        self._halt = asyncio.Event()

    async def run(self) -> None:
        """Work until a signal: the first drains (running steps may end), the second stops at once.

        Raises RuntimeError at once when a workflow is not fit for the sandbox, e.g. imports Django.
        Steps that are stopped count as failed: their runs go on with the next worker, to thaw.
        """
        log, pulse = MessageLog(), Pulse()
        with (
            ThreadPoolExecutor(self._options.activities, thread_name_prefix="step") as steps,
            ThreadPoolExecutor(self._options.questions, thread_name_prefix="question") as questions,
        ):
            client = await self._connect()
            if client is None:
                return
            registry = PluginRegistry(folders=settings.FOSSUL_PLUGIN_DIRS)
            execution = StepExecution(log, pulse)
            workers = (
                self._step_worker(client, steps, build_activities(registry, execution)),
                self._question_worker(client, questions, build_questions(registry, execution)),
            )
            log.start()
            pulse.start()
            try:
                await self._work(workers, pulse, registry)
            finally:
                pulse.close()
                if not await asyncio.to_thread(log.close):
                    logger.error("Some log lines could not be written before the worker ended")

    def _step_worker(self, client: Client, pool: ThreadPoolExecutor, activities: Activities) -> Worker:
        options = self._options
        return _worker(
            client,
            pool,
            task_queue=options.task_queue,
            workflows=WORKFLOWS,
            activities=activities,
            max_concurrent_activities=options.activities,
            max_concurrent_workflow_tasks=options.workflow_tasks,
            graceful_shutdown_timeout=timedelta(seconds=options.grace_seconds),
        )

    def _question_worker(self, client: Client, pool: ThreadPoolExecutor, activities: Activities) -> Worker:
        """What answers pages, with threads of its own: a storage that hangs takes none from the steps."""
        options = self._options
        return _worker(
            client,
            pool,
            task_queue=naming.question_queue(options.task_queue),
            workflows=QUESTIONS,
            activities=activities,
            max_concurrent_activities=options.questions,
            graceful_shutdown_timeout=timedelta(seconds=min(options.grace_seconds, QUESTION_SECONDS)),
        )

    async def _work(self, workers: Sequence[Worker], pulse: Pulse, registry: PluginRegistry) -> None:
        beside = []
        if self._options.record:
            beside.append(asyncio.create_task(Recorder().run()))
            beside.append(asyncio.create_task(Notifier().run()))
            beside.append(asyncio.create_task(keep_published(_identity(), registry.infos)))
        working = [asyncio.create_task(worker.run()) for worker in workers]
        stopping = asyncio.create_task(self._stop.wait())
        logger.info("Worker polls task queue %r", self._options.task_queue)
        try:
            await asyncio.wait({*working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not any(task.done() for task in working):
                logger.info("Worker drains: running steps may end. A second signal stops them.")
            halting = asyncio.create_task(self._halt_steps(pulse))
            await shut_down(dict(zip(workers, working, strict=True)), lambda: pulse.beats)
            halting.cancel()
            for ended in await asyncio.gather(*working, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended
            logger.info("Worker has ended")
        finally:
            stopping.cancel()
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _halt_steps(self, pulse: Pulse) -> None:
        await self._halt.wait()
        logger.warning("Worker stops its running steps")
        pulse.halt()

    async def _connect(self) -> Client | None:
        """Wait for Temporal; answer None when told to stop before it is there."""
        told = False
        while not self._stop.is_set():
            try:
                return await connect()
            except TemporalUnavailable as error:
                if not told:
                    logger.warning("Worker waits for Temporal: %s", error)
                    told = True
            try:
                await asyncio.wait_for(self._stop.wait(), CONNECT_RETRY_SECONDS)
            except TimeoutError:
                continue
        return None

    def stop(self) -> None:
        """Ask the worker to drain; asked again, to stop its steps at once."""
        if self._stop.is_set():
            self._halt.set()
        self._stop.set()

    def listen(self) -> None:
        """Let SIGTERM and SIGINT stop the worker. To be called in the main thread's event loop.

        ``signal.signal`` rather than the loop's own handler: under load Temporal's core starves the
        loop's signal pipe (architecture.md §3.3).
        """
        loop = asyncio.get_running_loop()

        def heard(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.stop)

        signal.signal(signal.SIGTERM, heard)
        signal.signal(signal.SIGINT, heard)
