"""Stages of several steps: they overlap, and all are waited for before anything is undone."""

from tests.conftest import eventually
from tests.factories import make_config
from tests.workflows.matrix import NOTICE, PLAN
from tests.workflows.runs import details_of, start
from tests.workflows.steps import Held, Steps, crash, say_no
from workflows_app.domain.plans.plans import Plan, Stage
from workflows_app.domain.states import FreezeState, RunState, StepState

FIRST, SECOND = "backup-create-command", "backup-plugin"
THAW = ["undo unquiesce-command", "undo unquiesce-plugin", f"undo {NOTICE}"]


def together(*keys: str) -> Plan:
    """The frozen window of a backup, with the steps ``keys`` in one stage."""
    around = ("quiesce-command", "quiesce-plugin"), ("unquiesce-command", "unquiesce-plugin")
    before, after = ([Stage(steps=(PLAN.step(key),)) for key in half] for half in around)
    stage = Stage(steps=tuple(PLAN.step(key) for key in keys))
    return Plan(stages=(*before, stage, *after), on_error=PLAN.on_error)


async def test_the_steps_of_a_stage_overlap(temporal_server, temporal_settings):
    first, second = Held(), Held()
    async with Steps({FIRST: first, SECOND: second}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), together(FIRST, SECOND))
        await eventually(lambda: first.entered.is_set() and second.entered.is_set())
        first.release.set()
        second.release.set()
        await run.handle.result()
        progress = await run.progress()
    one, other = (step for step in progress.steps if step.key in (FIRST, SECOND))
    assert one.started < other.finished
    assert other.started < one.finished
    assert steps.done[4:] == ["unquiesce-command", "unquiesce-plugin"]


async def test_when_one_fails_the_other_is_waited_for_and_then_the_application_is_thawed(
    temporal_server, temporal_settings
):
    held = Held()
    async with Steps({FIRST: say_no, SECOND: held}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), together(FIRST, SECOND))
        await eventually(held.entered.is_set)
        await eventually(lambda: state_of(run, FIRST, StepState.ERROR))
        assert not [key for key in steps.done if key.startswith("undo")], "the other one still works"
        held.release.set()
        status = details_of(await run.failure())
        progress = await run.progress()
    states = {step.key: step.status for step in status.workflow.steps}
    assert (states[FIRST], states[SECOND]) == ("ERROR", "COMPLETE")
    assert steps.done[-3:] == THAW
    assert progress.freeze is FreezeState.THAWED


async def state_of(run, key: str, state: StepState) -> bool:
    return state in [step.state for step in (await run.progress()).steps if step.key == key]


async def test_when_both_fail_the_first_is_the_reason_and_both_are_told(temporal_server, temporal_settings):
    async with Steps({FIRST: say_no, SECOND: crash}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), together(FIRST, SECOND))
        failure = await run.failure()
    assert f"{FIRST} said no" in failure.message
    said = [m.message for m in details_of(failure).result.messages]
    assert {f"{FIRST} said no", f"{SECOND} broke"} <= set(said)
    assert steps.done[-3:] == THAW


async def test_two_freezing_steps_at_once_are_both_undone(temporal_server, temporal_settings):
    quiesce = Stage(steps=(PLAN.step("quiesce-command"), PLAN.step("quiesce-plugin")))
    thaw = Stage(steps=(PLAN.step("unquiesce-command"), PLAN.step("unquiesce-plugin")))
    backup = Stage(steps=(PLAN.step(SECOND),))
    plan = Plan(stages=(quiesce, backup, thaw), on_error=PLAN.on_error)
    async with Steps({"quiesce-plugin": say_no}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), plan)
        await run.failure()
        progress = await run.progress()
    assert sorted(steps.done[:2]) == ["quiesce-command", "quiesce-plugin"]
    assert steps.done[2:] == THAW
    assert progress.freeze is FreezeState.THAWED


async def test_a_cancel_reaches_every_step_of_the_stage(temporal_server, temporal_settings):
    first, second = Held(), Held()
    async with Steps({FIRST: first, SECOND: second}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), together(FIRST, SECOND))
        await eventually(lambda: first.entered.is_set() and second.entered.is_set())
        await run.handle.cancel()
        await run.ended()
        progress = await run.progress()
    assert first.ended.is_set()
    assert second.ended.is_set()
    assert steps.done[-3:] == THAW
    assert progress.state is RunState.CANCELLED
    states = {step.key: step.state for step in progress.steps}
    assert states[FIRST] is states[SECOND] is StepState.CANCELLED
