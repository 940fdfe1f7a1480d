"""The watchdog: it thaws what its run froze when the run does not, or not in time, and only then."""

from contextlib import suppress

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.service import RPCError

from tests.conftest import eventually
from tests.factories import make_config
from tests.workflows.matrix import NOTICE, PLAN
from tests.workflows.runs import StartedRun, details_of, replanned, start
from tests.workflows.steps import Held, Silent, Steps, say_no, succeed_after
from workflows_app.contracts.thaws import ThawOrder, WatchdogInput
from workflows_app.domain import naming
from workflows_app.domain.naming import FIRST_WATCHDOG_STEP
from workflows_app.domain.plans.plans import OnFailure, Plan
from workflows_app.domain.states import FreezeState, RunState
from workflows_app.workflows.backup import BackupWorkflow
from workflows_app.workflows.registered import WORKFLOWS
from workflows_app.workflows.watchdog import WatchdogWorkflow

THAW = ["undo unquiesce-command", "undo unquiesce-plugin"]
ORDERED = "olga ordered to thaw the application"
SPENT = "The freeze budget of 2 s was spent"


def short() -> Plan:
    """A plan with a freeze budget that a test can wait for."""
    return replanned(PLAN, freeze_budget_seconds=2.0)


async def order(run: StartedRun, *also: str) -> None:
    """Order the watchdog of a run to thaw, and to take further steps."""
    specs = {step.key: step for step in (*PLAN.steps, *PLAN.on_error)}
    thaw = ThawOrder(by="olga", also=tuple(specs[key] for key in also))
    await eventually(lambda: signalled(run, thaw))


async def signalled(run: StartedRun, thaw: ThawOrder) -> bool:
    """Give the order, as soon as there is a watchdog."""
    with suppress(RPCError):
        await run.watchdog.signal(naming.THAW_SIGNAL, thaw)
        return True
    return False


async def failed_and_thawed_by_the_watchdog(run: StartedRun, steps: Steps, reason: str) -> None:
    failure = await run.failure()
    assert failure.message == f"{reason}, and the run was given up"
    assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED
    assert steps.done_by_watchdog == THAW
    assert [key for key in steps.done if "unquiesce" in key and "pre" not in key] == THAW, "exactly once"
    assert steps.done[-1] == f"undo {NOTICE}"
    progress = await run.progress()
    assert progress.state is RunState.ERROR
    assert (progress.freeze, progress.still_owed) == (FreezeState.THAWED, ())
    taken = {step.key: step.status for step in details_of(failure).workflow.steps}
    assert taken["backup-plugin"] == "ERROR"
    assert set(taken).isdisjoint(key.removeprefix("undo ") for key in THAW), "the run itself did not thaw"


async def test_a_spent_budget_ends_the_run_and_thaws_once(temporal_server, temporal_settings):
    held = Held()
    async with Steps({"backup-plugin": held}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), short())
        await failed_and_thawed_by_the_watchdog(run, steps, SPENT)
    assert held.ended.is_set(), "the step was told to end"


async def test_a_person_may_order_the_thaw(temporal_server, temporal_settings):
    held = Held()
    async with Steps({"backup-plugin": held}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings)
        await eventually(held.entered.is_set)
        await order(run)
        await failed_and_thawed_by_the_watchdog(run, steps, ORDERED)


async def test_a_run_that_was_terminated_is_thawed_at_its_budget(temporal_server, temporal_settings):
    held = Held()
    async with Steps({"backup-plugin": held}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), short())
        await eventually(held.entered.is_set)
        await eventually(lambda: is_guarded(run))
        await run.handle.terminate(reason="enough")
        assert (await run.progress()).freeze is FreezeState.FROZEN
        assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED
        held.release.set()
        progress = await run.progress()
    assert steps.done_by_watchdog == THAW
    assert progress.state is RunState.TERMINATED
    assert progress.freeze is FreezeState.THAWED
    assert progress.watchdog.reason == SPENT


async def is_guarded(run: StartedRun) -> bool:
    with suppress(RPCError):
        return (await run.watchdog.describe()).status is WorkflowExecutionStatus.RUNNING
    return False


async def test_a_run_that_is_wedged_is_thawed_and_told_once_it_moves_again(
    temporal_server, temporal_settings
):
    """No worker can go on with the run, as after a bad deployment: the watchdog needs nothing of it."""
    silent = Silent()
    steps = Steps({"backup-plugin": silent})
    others = [kind for kind in WORKFLOWS if kind is not BackupWorkflow]
    plan = replanned(PLAN, {"backup-plugin": {"heartbeat_seconds": 1.0}}, freeze_budget_seconds=2.0)
    async with steps.worker(temporal_server, temporal_settings):
        run = await start(temporal_server, temporal_settings, make_config(), plan)
        await eventually(silent.entered.is_set)
        await eventually(lambda: is_guarded(run))
        silent.release.set()
    async with steps.worker(temporal_server, temporal_settings, workflows=others):
        assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED
        assert steps.done_by_watchdog == THAW
        progress = await run.progress()
        assert (progress.state, progress.freeze) == (RunState.RUNNING, FreezeState.THAWED)
    async with steps.worker(temporal_server, temporal_settings):
        failure = await run.failure()
    assert SPENT in failure.message
    assert [key for key in steps.done if key in THAW] == THAW, "the run did not thaw again"
    assert steps.done[-1] == f"undo {NOTICE}"


async def test_a_budget_that_is_spent_between_two_thaws_undoes_what_is_left(
    temporal_server, temporal_settings
):
    """The unquiesce command is done and the plugin's hangs: the plugin's alone is owed."""
    held = Held()
    behave = {"unquiesce-plugin": succeed_after(1, held)}
    async with Steps(behave).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings)
        await eventually(held.entered.is_set)
        await order(run)
        await run.failure()
        progress = await run.progress()
    thaws = [key for key in steps.done if key.endswith(("unquiesce-command", "unquiesce-plugin"))]
    assert thaws == ["pre-unquiesce-command", "unquiesce-command", "unquiesce-plugin", THAW[1]]
    assert steps.done_by_watchdog == [THAW[1]]
    assert (progress.freeze, progress.still_owed) == (FreezeState.THAWED, ())


async def test_before_the_second_freeze_the_first_alone_is_owed(temporal_server, temporal_settings):
    held = Held()
    steps = Steps({"quiesce-command": held})
    async with steps.worker(temporal_server, temporal_settings):
        run = await start(temporal_server, temporal_settings)
        await eventually(held.entered.is_set)
        await order(run)
        await run.failure()
        progress = await run.progress()
    assert steps.done_by_watchdog == THAW[:1]
    assert THAW[1] not in steps.done
    assert progress.freeze is FreezeState.THAWED


async def test_what_the_watchdog_could_not_do_is_tried_once_more_by_the_run(
    temporal_server, temporal_settings
):
    """The run is told what failed, and so is whoever looks."""
    held = Held()
    async with Steps({"backup-plugin": held}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings)
        await eventually(held.entered.is_set)
        report = {"reason": ORDERED, "done": ["unquiesce-plugin"], "failed": ["unquiesce-command"]}
        await run.handle.signal(naming.WINDOW_OVER_SIGNAL, ORDERED)
        await run.handle.signal(naming.THAWED_SIGNAL, report)
        await run.failure()
        progress = await run.progress()
    assert steps.done[-2:] == [THAW[0], f"undo {NOTICE}"]
    assert steps.done_by_watchdog == []
    assert progress.freeze is FreezeState.THAWED
    assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED


async def test_after_a_pause_what_is_frozen_again_has_a_watchdog_again(temporal_server, temporal_settings):
    key = "backup-plugin"
    held = Held()
    plan = replanned(PLAN, {key: {"on_failure": OnFailure.PAUSE}})
    acts = iter([say_no, held])
    async with Steps({key: lambda step: next(acts)(step)}).worker(
        temporal_server, temporal_settings
    ) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), plan)
        step = await run.paused()
        assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED
        first = (await run.watchdog.describe()).run_id
        await run.decide(naming.RETRY_UPDATE, step.step)
        await eventually(held.entered.is_set)
        await eventually(lambda: is_guarded(run))
        assert (await run.watchdog.describe()).run_id != first
        await order(run)
        failure = await run.failure()
    assert ORDERED in failure.message
    assert [one for one in steps.done if one in THAW] == THAW * 2
    assert steps.done_by_watchdog == THAW
    assert (await run.progress()).freeze is FreezeState.THAWED


async def test_a_run_that_ends_without_thawing_is_thawed_and_the_rest_undone_by_order(
    temporal_server, temporal_settings
):
    """As services.control does for a closed run: a watchdog of its own, all that is owed, and the notice."""
    held = Held()
    async with Steps({"archive-plugin": held}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings)
        await eventually(held.entered.is_set)
        await run.handle.terminate()
        assert (await run.progress()).still_owed == ("unmount-plugin",)
        held.release.set()
        await watch(run, "unmount-plugin")
        await order(run, "unmount-plugin", NOTICE)
        assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED
    assert steps.done[-2:] == ["undo unmount-plugin", f"undo {NOTICE}"]


async def watch(run: StartedRun, *owed: str) -> None:
    """Start a watchdog by hand."""
    given = WatchdogInput(
        run=run.given.run,
        config=run.given.config,
        owed=tuple(PLAN.step(key) for key in owed),
        budget_seconds=3600,
        first_step=FIRST_WATCHDOG_STEP,
        workflow_id=run.handle.id,
        run_id=run.handle.first_execution_run_id or "",
    )
    task_queue = (await run.handle.describe()).task_queue
    await run.client.start_workflow(WatchdogWorkflow.run, given, id=run.watchdog_id, task_queue=task_queue)


async def test_a_watchdog_to_which_nothing_is_owed_ends_quietly(temporal_server, temporal_settings):
    async with Steps().worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings)
        await run.handle.result()
        await run.watchdog_ended()
        done = list(steps.done)
        await watch(run, "unquiesce-command")
        await run.watchdog.signal(naming.OWED_SIGNAL, [])
        assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED
        assert await run.watchdog_took_nothing()
    assert steps.done == done


async def test_a_watchdog_is_told_of_what_comes_later_and_of_what_is_done(temporal_server, temporal_settings):
    """Both freezing steps are owed once the second was asked for; after the first thaw, one."""
    held = Held()
    async with Steps({"unquiesce-plugin": held}).worker(temporal_server, temporal_settings):
        run = await start(temporal_server, temporal_settings)
        await eventually(held.entered.is_set)
        events = (await run.watchdog.fetch_history()).events
        started = events[0].workflow_execution_started_event_attributes
        (given,) = await run.client.data_converter.decode(started.input.payloads, [WatchdogInput])
        assert [spec.key for spec in given.owed] == ["unquiesce-command"]
        signals = [
            [spec["key"] for spec in (await run.client.data_converter.decode(one.input.payloads))[0]]
            for event in events
            if (one := event.workflow_execution_signaled_event_attributes).signal_name == naming.OWED_SIGNAL
        ]
        assert signals == [["unquiesce-command", "unquiesce-plugin"], ["unquiesce-plugin"]]
        held.release.set()
        await run.handle.result()
        assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED


async def test_a_thaw_that_says_no_leaves_the_watchdog_on_guard(temporal_server, temporal_settings):
    """The run ends, the application is still frozen: the watchdog tries again at its budget."""
    behave = {"backup-plugin": say_no, "unquiesce-plugin": succeed_after(1, say_no)}
    async with Steps(behave).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), short())
        with pytest.raises(WorkflowFailureError):
            await run.handle.result()
        progress = await run.progress()
        assert (progress.state, progress.freeze) == (RunState.ERROR, FreezeState.FAILED)
        assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED
        progress = await run.progress()
    assert steps.done_by_watchdog == [THAW[1]]
    assert progress.freeze is FreezeState.THAWED
    assert progress.still_owed == ()
