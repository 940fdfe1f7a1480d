"""A step that failed and waits for a person: retry, skip, abort; and what the plan says instead."""

import pytest

from tests.conftest import eventually
from tests.factories import make_config
from tests.workflows.matrix import KEYS, NOTICE, PLAN
from tests.workflows.runs import StartedRun, details_of, replanned, start
from tests.workflows.steps import Act, Held, Steps, crash, say_no, succeed_after
from workflows_app.domain import naming
from workflows_app.domain.plans.plans import OnFailure, Plan, Stage
from workflows_app.domain.states import FreezeState, RunState, StepState

RETRY, SKIP, ABORT = naming.RETRY_UPDATE, naming.SKIP_UPDATE, naming.ABORT_UPDATE
PAUSE = {"on_failure": OnFailure.PAUSE}
MAY_SKIP = {**PAUSE, "may_skip": True}

BEFORE, INSIDE, AFTER = "pre-quiesce-command", "backup-create-command", "backup-delete-command"
THAW = ["undo unquiesce-command", "undo unquiesce-plugin"]
TO_BACKUP = KEYS[: KEYS.index(INSIDE) + 1]
WINDOW = TO_BACKUP[TO_BACKUP.index("quiesce-command") :]
REST = KEYS[KEYS.index(INSIDE) + 1 :]


@pytest.fixture
async def paused_at(temporal_server, temporal_settings):
    """Start a backup in which a step fails ``times`` times, and wait until it waits for a person."""
    workers = []

    async def begin(key: str, *, times: int = 1, act: Act = say_no, options=MAY_SKIP, **changes):
        steps = Steps({key: succeed_after(times, act)})
        worker = steps.worker(temporal_server, temporal_settings)
        await worker.__aenter__()
        workers.append(worker)
        plan = replanned(PLAN, {key: options}, **changes)
        run = await start(temporal_server, temporal_settings, make_config(), plan)
        step = await run.paused()
        assert step.key == key
        return run, step.step, steps

    yield begin
    for worker in workers:
        await worker.__aexit__(None, None, None)


async def completed(run: StartedRun) -> list[StepState]:
    """Wait for the run, which must complete thawed; answer the states of its steps."""
    result = await run.handle.result()
    assert result.workflow.status == "COMPLETED"
    progress = await run.progress()
    assert progress.state is RunState.COMPLETED
    assert progress.freeze is FreezeState.THAWED
    assert progress.still_owed == ()
    return [step.state for step in progress.steps]


@pytest.mark.parametrize("act", [say_no, crash])
async def test_a_step_that_is_retried_and_succeeds_lets_the_run_go_on(paused_at, act):
    run, number, steps = await paused_at(BEFORE, act=act)
    await run.decide(RETRY, number)
    states = await completed(run)
    assert steps.done == [*KEYS[:2], BEFORE, *KEYS[2:]]
    assert states.count(StepState.ERROR) == 1
    decided = [step.decision for step in (await run.progress()).steps if step.key == BEFORE]
    assert decided == ["retried by olga", ""]


async def test_a_retry_that_fails_again_waits_again(paused_at):
    run, first, steps = await paused_at(BEFORE, times=2)
    await run.decide(RETRY, first)
    second = await eventually(lambda: other_pause(run, first))
    assert "any more" in await run.refusal(RETRY, first), "what was decided is not decided again"
    await run.decide(RETRY, second)
    await completed(run)
    assert steps.done.count(BEFORE) == 3


async def other_pause(run: StartedRun, before: int) -> int | None:
    return next((step.step for step in await run.all_paused() if step.step != before), None)


async def test_a_step_that_is_skipped_lets_the_run_go_on_without_it(paused_at):
    run, number, steps = await paused_at(AFTER, times=9)
    await run.decide(SKIP, number)
    states = await completed(run)
    assert steps.done == KEYS, "the skipped step was taken once, and in vain"
    assert states[KEYS.index(AFTER)] is StepState.SKIPPED


async def test_a_step_that_the_plan_does_not_let_go_is_not_skipped(paused_at):
    run, number, _ = await paused_at(AFTER, options=PAUSE)
    words = await run.refusal(SKIP, number)
    assert words == "The plan does not allow “Backup delete command” to be skipped."
    assert (await run.progress()).state is RunState.RUNNING
    await run.decide(RETRY, number)
    assert StepState.SKIPPED not in await completed(run)


async def test_an_abort_compensates_and_fails_with_who_and_why(paused_at):
    run, number, steps = await paused_at("archive-plugin")
    await run.decide(ABORT, number)
    failure = await run.failure()
    assert "archive-plugin said no" in failure.message
    assert "olga aborted the run" in failure.message
    assert steps.done[-2:] == ["undo unmount-plugin", f"undo {NOTICE}"]
    progress = await run.progress()
    assert progress.state is RunState.ERROR
    assert progress.still_owed == ()
    assert details_of(failure).workflow.status == "ERROR"


async def test_a_decision_about_another_step_is_refused(paused_at):
    run, number, _ = await paused_at(BEFORE)
    for update in (RETRY, SKIP, ABORT):
        words = await run.refusal(update, number - 1)
        assert words == f"The run does not wait for a decision about step {number - 1} (any more)."
    assert [step.step for step in await run.all_paused()] == [number], "it still waits"
    await run.decide(RETRY, number)
    await completed(run)


async def test_a_run_that_does_not_wait_refuses_every_decision(temporal_server, temporal_settings):
    held = Held()
    async with Steps({BEFORE: held}).worker(temporal_server, temporal_settings):
        run = await start(temporal_server, temporal_settings)
        await eventually(held.entered.is_set)
        for update in (RETRY, SKIP, ABORT):
            assert "does not wait" in await run.refusal(update, 1)
        held.release.set()
        await completed(run)


@pytest.mark.parametrize("update", [RETRY, SKIP])
async def test_the_application_is_thawed_while_the_run_waits_and_frozen_again_once(paused_at, update):
    run, number, steps = await paused_at(INSIDE)
    assert steps.done == [*TO_BACKUP, *THAW], "thawed before the wait"
    progress = await run.progress()
    assert progress.freeze is FreezeState.THAWED
    assert progress.thawed_at is not None
    assert not progress.cancel_requested
    await run.decide(update, number)
    await completed(run)
    again = WINDOW if update == RETRY else WINDOW[:-1]
    assert steps.done == [*TO_BACKUP, *THAW, *again, *REST]
    assert steps.done.count("quiesce-plugin") == 2


async def test_a_plan_may_keep_the_application_frozen_while_it_waits(paused_at):
    run, number, steps = await paused_at(INSIDE, stays_frozen=True)
    assert (await run.progress()).freeze is FreezeState.FROZEN
    assert steps.done == TO_BACKUP
    await run.decide(RETRY, number)
    await completed(run)
    assert steps.done == [*TO_BACKUP, INSIDE, *REST], "frozen once, thawed once"


async def test_the_freeze_budget_ends_a_wait_that_keeps_the_application_frozen(paused_at):
    run, _, steps = await paused_at(INSIDE, stays_frozen=True, freeze_budget_seconds=2.0)
    failure = await run.failure()
    assert "The freeze budget of 2 s was spent" in failure.message
    assert steps.done == [*TO_BACKUP, *THAW, f"undo {NOTICE}"]
    assert steps.done_by_watchdog == THAW
    progress = await run.progress()
    assert (progress.freeze, progress.paused, progress.pause_until) == (FreezeState.THAWED, (), None)


async def test_when_the_thaw_before_the_wait_fails_the_run_does_not_wait(temporal_server, temporal_settings):
    behave = {INSIDE: say_no, "unquiesce-command": succeed_after(1, say_no)}
    plan = replanned(PLAN, {INSIDE: PAUSE})
    async with Steps(behave).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), plan)
        failure = await run.failure()
    assert "unquiesce-command said no" in failure.message
    assert steps.done == [*TO_BACKUP, THAW[0], *THAW, f"undo {NOTICE}"]
    assert (await run.progress()).freeze is FreezeState.THAWED


@pytest.mark.parametrize("stays_frozen", [False, True])
async def test_a_cancel_ends_the_wait(paused_at, stays_frozen):
    run, _, steps = await paused_at(INSIDE, stays_frozen=stays_frozen)
    await run.handle.cancel()
    await run.ended()
    progress = await run.progress()
    assert progress.state is RunState.CANCELLED
    assert progress.freeze is FreezeState.THAWED
    assert progress.paused == ()
    assert steps.done == [*TO_BACKUP, *THAW, f"undo {NOTICE}"], "thawed once, whenever"


def beside(first: dict[str, object], second: dict[str, object]) -> Plan:
    """A plan whose two backup steps run at the same time."""
    options = {INSIDE: first, "backup-plugin": second}
    plan = replanned(PLAN, options, stays_frozen=True)
    place = KEYS.index(INSIDE)
    stage = Stage(steps=tuple(step for one in plan.stages[place : place + 2] for step in one.steps))
    return plan.model_copy(update={"stages": (*plan.stages[:place], stage, *plan.stages[place + 2 :])})


async def test_two_steps_that_wait_at_once_both_want_a_decision(temporal_server, temporal_settings):
    behave = {INSIDE: say_no, "backup-plugin": succeed_after(1, say_no)}
    async with Steps(behave).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), beside(MAY_SKIP, PAUSE))
        waiting = {step.key: step.step for step in await eventually(run.all_paused)}
        await run.decide(SKIP, waiting[INSIDE])
        assert (await run.refusal(RETRY, waiting[INSIDE])) == (
            "“Backup create command” was decided already: skip."
        )
        assert (await run.progress()).state is RunState.RUNNING
        assert steps.done.count("backup-plugin") == 1, "it waits for the other decision"
        await run.decide(RETRY, waiting["backup-plugin"])
        await completed(run)
    assert steps.done.count("backup-plugin") == 2
    assert steps.done.count(INSIDE) == 1


async def test_a_failure_beside_a_pause_fails_the_run(temporal_server, temporal_settings):
    behave = {INSIDE: say_no, "backup-plugin": say_no}
    async with Steps(behave).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), beside(PAUSE, {}))
        failure = await run.failure()
    assert "backup-plugin said no" in failure.message
    assert steps.done[-3:] == [*THAW, f"undo {NOTICE}"]
    assert (await run.progress()).pause_until is None


async def test_a_plan_may_go_on_without_a_step(temporal_server, temporal_settings):
    plan = replanned(PLAN, {AFTER: {"on_failure": OnFailure.CONTINUE}})
    async with Steps({AFTER: say_no}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), plan)
        result = await run.handle.result()
        states = await completed(run)
    assert steps.done == KEYS
    assert states[KEYS.index(AFTER)] is StepState.ERROR
    assert result.workflow.steps[KEYS.index(AFTER)].status == "ERROR"
    warnings = [m.message for m in result.result.messages if m.level == "WARN"]
    number = KEYS.index(AFTER)
    assert warnings == [
        f"Step {number} (Backup delete command) failed: {AFTER} said no. The plan goes on without it"
    ]


async def test_the_attempts_of_a_step_are_taken_before_it_counts_as_failed(
    temporal_server, temporal_settings
):
    plan = replanned(PLAN, {BEFORE: {"attempts": 3, "backoff_seconds": 0.05}})
    async with Steps({BEFORE: succeed_after(2, crash)}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), plan)
        states = await completed(run)
    assert steps.done.count(BEFORE) == 3
    assert set(states) == {StepState.COMPLETE}
    (step,) = [step for step in (await run.progress()).steps if step.key == BEFORE]
    assert step.attempt == 3


async def test_once_its_attempts_are_spent_a_step_pauses(temporal_server, temporal_settings):
    plan = replanned(PLAN, {BEFORE: {**PAUSE, "attempts": 2, "backoff_seconds": 0.05}})
    async with Steps({BEFORE: succeed_after(2, crash)}).worker(temporal_server, temporal_settings) as steps:
        run = await start(temporal_server, temporal_settings, make_config(), plan)
        step = await run.paused()
        assert steps.done.count(BEFORE) == 2
        await run.decide(RETRY, step.step)
        await completed(run)
    assert steps.done.count(BEFORE) == 3


@pytest.mark.parametrize("action", [RETRY, SKIP])
async def test_with_the_backup_made_nothing_is_frozen_again(paused_at, action):
    """What fails between the backup and the thaw waits thawed, and the run goes on from there."""
    run, number, steps = await paused_at("pre-unquiesce-command")
    await run.decide(action, number)
    await completed(run)
    assert steps.done.count("backup-plugin") == 1
    assert steps.done.count("quiesce-plugin") == 1
    thaws = [step for step in steps.done if step.endswith(("unquiesce-plugin", "unquiesce-command"))]
    assert thaws[:3] == ["pre-unquiesce-command", "undo unquiesce-command", "undo unquiesce-plugin"]
    assert "unquiesce-plugin" not in thaws, "it is thawed already"
    assert steps.done[-1] == KEYS[-1]
