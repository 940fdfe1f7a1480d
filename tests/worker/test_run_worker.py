"""``manage.py run_worker`` in a process of its own: how it starts, drains, stops, dies, and is replaced."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from temporalio.client import Client

from tests.conftest import eventually, start_temporal
from tests.factories import OPERATOR, make_catalog
from tests.worker.processes import READY, WorkerProcess, worker_process
from tests.workflows.unfit import write_unfit
from workflows_app.activities.execution import WORKER_STOPPED
from workflows_app.domain.states import RunState, StepState
from workflows_app.models import Run
from workflows_app.services.runs import runs, starts

pytestmark = pytest.mark.django_db(transaction=True)

# A command and its child: they tell their numbers, and stay until they may go or are killed.
LONG_COMMAND = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
child = os.fork()
if child:
    with open(folder / "family", "a") as file:
        file.write(f"{os.getpid()} {child}\\n")
while not (folder / "go").exists() and os.path.exists(folder):
    time.sleep(0.02)
"""


class Frozen:
    """A backup of an application that is frozen while its long command runs, and what it leaves behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "long_command.py"
        self.script.write_text(LONG_COMMAND)
        self.frozen, self.thawed = folder / "frozen", folder / "thawed"

    async def start(self) -> int:
        """Start the backup; answer the run's number once its command runs and the application is frozen."""
        config = await sync_to_async(make_catalog)(
            appQuiesceCmd=f"touch,{self.frozen}",
            backupCreateCmd=f"{sys.executable},{self.script},{self.folder}",
            appUnquiesceCmd=f"touch,{self.thawed}",
        )
        number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
        await eventually(lambda: self.families)
        assert self.frozen.exists()
        return number

    @property
    def families(self) -> list[list[int]]:
        """The numbers of each command that was started and of its child."""
        with suppress(FileNotFoundError):
            lines = (self.folder / "family").read_text().splitlines(keepends=True)
            return [[int(number) for number in line.split()] for line in lines if line.endswith("\n")]
        return []

    def let_go(self) -> None:
        (self.folder / "go").touch()

    def kill(self) -> None:
        for command, _ in self.families:
            with suppress(ProcessLookupError):
                os.killpg(command, signal.SIGKILL)


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Frozen]:
    frozen = Frozen(tmp_path)
    yield frozen
    frozen.kill()


@pytest.fixture
def start_worker(temporal_server: Client, temporal_settings: str, tmp_path: Path):
    """Start a worker on this test's queue."""
    address = temporal_server.service_client.config.target_host

    def start(*arguments: str, **options: object) -> AbstractContextManager[WorkerProcess]:
        return worker_process(address, temporal_settings, tmp_path, *arguments, **options)

    return start


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def closed(number: int, seconds: float = 20) -> runs.RunDetail:
    """The run once it is recorded as closed."""
    return await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), seconds)


def states(run: runs.RunDetail) -> dict[str, StepState]:
    return {step.key: step.state for step in run.progress.steps}


async def test_the_first_signal_lets_the_running_step_end_and_the_next_worker_goes_on(start_worker, frozen):
    with start_worker() as first:
        number = await frozen.start()
        first.send(signal.SIGTERM)
        await first.says("Worker drains")
        assert first.code is None
        assert all(map(alive, frozen.families[0]))
        frozen.let_go()
        assert await first.ends() == 0
        assert "Worker has ended" in first.output
    with start_worker():
        run = await closed(number)
    assert run.summary.state is RunState.COMPLETED
    assert set(states(run).values()) == {StepState.COMPLETE}
    assert len(frozen.families) == 1, "the step that the first worker finished was not done again"
    assert frozen.thawed.exists()


async def test_the_second_signal_stops_the_step_and_the_next_worker_thaws(start_worker, frozen):
    with start_worker() as first:
        number = await frozen.start()
        first.send(signal.SIGTERM)
        await first.says("Worker drains")
        first.send(signal.SIGTERM)
        assert await first.ends(10) == 0
        assert "Worker stops its running steps" in first.output
        await eventually(lambda: not any(map(alive, frozen.families[0])))
    assert not frozen.thawed.exists()
    with start_worker():
        run = await closed(number)
    assert_failed_and_thawed(run, frozen, WORKER_STOPPED)


async def test_a_step_that_outlasts_the_grace_is_stopped(start_worker, frozen):
    with start_worker("--grace-seconds", "0.2") as first:
        number = await frozen.start()
        first.send(signal.SIGINT)
        assert await first.ends(10) == 0
        await eventually(lambda: not any(map(alive, frozen.families[0])))
    with start_worker():
        run = await closed(number)
    assert_failed_and_thawed(run, frozen, WORKER_STOPPED)


async def test_a_worker_that_is_killed_leaves_no_application_frozen(start_worker, frozen):
    """Nobody tells Temporal: the missing heartbeats do, after ten seconds."""
    with start_worker() as first:
        number = await frozen.start()
        first.kill()
    frozen.kill()
    with start_worker():
        seen = set()
        while (run := await Run.objects.aget(pk=number)).finished is None:
            seen.add(run.status)
            await asyncio.sleep(0.1)
        run = await closed(number)
    assert seen == {"RUNNING"}
    assert_failed_and_thawed(run, frozen, "The worker that did it was lost (no sign of life)")


def assert_failed_and_thawed(run: runs.RunDetail, frozen: Frozen, reason: str) -> None:
    assert run.summary.state is RunState.ERROR
    assert run.result["workflow"]["status"] == "ERROR"
    (step,) = [step for step in run.progress.steps if step.key == "backup-create-command"]
    assert (step.state, step.attempt, step.reason) == (StepState.ERROR, 1, reason)
    assert states(run) == {
        "quiesce-command": StepState.COMPLETE,
        "backup-create-command": StepState.ERROR,
        "unquiesce-command": StepState.SKIPPED,
        "undo-unquiesce-command": StepState.COMPLETE,
    }
    assert run.progress.thawed_at is not None
    assert not run.progress.frozen
    assert len(frozen.families) == 1, "a step that cannot be repeated was not repeated"
    assert frozen.thawed.exists()


async def test_a_worker_leaves_with_code_zero_every_time(start_worker):
    """Three workers that did work; Temporal's core crashes now and then in an interpreter's own exit."""
    with start_worker() as one, start_worker() as two, start_worker() as three:
        for worker in (one, two, three):
            await worker.says(READY)
        numbers = []
        for _ in range(3):
            config = await sync_to_async(make_catalog)()
            numbers.append(await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily"))
        for number in numbers:
            assert (await closed(number)).summary.state is RunState.COMPLETED
        for worker in (one, two, three):
            worker.send(signal.SIGTERM)
        assert [await worker.ends() for worker in (one, two, three)] == [0, 0, 0]


async def test_a_worker_waits_for_a_temporal_that_is_away(temporal_settings, tmp_path, unused_tcp_port):
    address = f"127.0.0.1:{unused_tcp_port}"
    with worker_process(address, temporal_settings, tmp_path) as worker:
        await worker.says(f"Worker waits for Temporal: Temporal at {address} does not answer")
        assert READY not in worker.output
        async with server(unused_tcp_port):
            await worker.says(READY)
            assert worker.output.count("Worker waits") == 1, "it says so once"
            worker.send(signal.SIGTERM)
            assert await worker.ends() == 0


async def test_a_worker_that_waits_for_temporal_ends_at_once_when_told(
    temporal_settings, tmp_path, unused_tcp_port
):
    with worker_process(f"127.0.0.1:{unused_tcp_port}", temporal_settings, tmp_path) as worker:
        await worker.says("Worker waits for Temporal")
        worker.send(signal.SIGTERM)
        assert await worker.ends(10) == 0


@asynccontextmanager
async def server(port: int) -> AsyncIterator[None]:
    """A Temporal server of its own."""
    async with await start_temporal(ip="127.0.0.1", port=port):
        yield


async def test_a_worker_with_an_unfit_workflow_says_so_in_one_line(start_worker, tmp_path):
    module = write_unfit(tmp_path, "import django")
    program = f"""
import sys
from django.core.management import execute_from_command_line
from workflows_app.workflows.registered import WORKFLOWS
from {module} import Unfit

WORKFLOWS.append(Unfit)
execute_from_command_line(["manage.py", "run_worker", *sys.argv[1:]])
"""
    with start_worker(
        argv=(sys.executable, "-c", program),
        PYTHONPATH=str(tmp_path),
        DJANGO_SETTINGS_MODULE="fossul_dashboard.settings",
    ) as worker:
        assert await worker.ends() == 1
    assert worker.output == (
        "The worker cannot start: Failed validating workflow unfit: it uses django, which no workflow may.\n"
    )
