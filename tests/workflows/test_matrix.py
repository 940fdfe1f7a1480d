"""Every step of a backup fails in every way: what was frozen or mounted is undone, exactly once.

The outcomes are in ``docs/matrix.md``; ``WRITE_MATRIX=1`` writes it anew.
"""

import os

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from tests.conftest import eventually
from tests.factories import make_config
from tests.workflows.matrix import DOCUMENT, KEYS, PLAN, Kind, Outcome, document, outcome
from tests.workflows.runs import StartedRun, details_of, gathered, replanned, start
from tests.workflows.steps import Act, Held, Silent, Steps, crash, say_no, succeed_after
from workflows_app.domain.states import FreezeState, RunState

TEMPORAL_CALLS_IT = {
    RunState.COMPLETED: WorkflowExecutionStatus.COMPLETED,
    RunState.ERROR: WorkflowExecutionStatus.FAILED,
    RunState.CANCELLED: WorkflowExecutionStatus.CANCELED,
}

# The options of the step in question; the others have the plan's.
OPTIONS: dict[Kind, dict[str, object]] = {
    Kind.SAYS_NO: {},
    Kind.CRASHES: {},
    Kind.TAKES_TOO_LONG: {"timeout_seconds": 1.0},
    Kind.WORKER_LOST: {"heartbeat_seconds": 1.0},
    Kind.CANCELLED: {},
}


def words(kind: Kind, key: str) -> str:
    """What the run says of a step that failed."""
    return {
        Kind.SAYS_NO: f"{key} said no",
        Kind.CRASHES: f"{key} broke",
        Kind.TAKES_TOO_LONG: "It took longer than it was allowed to",
        Kind.WORKER_LOST: "The worker that did it was lost (no sign of life)",
        Kind.CANCELLED: "The step was cancelled",
    }[kind]


ANSWERS = {Kind.SAYS_NO: say_no, Kind.CRASHES: crash}


@pytest.mark.parametrize("kind", Kind)
async def test_whatever_happens_to_a_step_the_application_is_thawed(temporal_server, temporal_settings, kind):
    held, silent = {key: Held() for key in KEYS}, Silent()

    def act(key: str) -> Act:
        """Fail the first time, and succeed after that."""
        return succeed_after(1, held[key] if kind is Kind.CANCELLED else ANSWERS.get(kind, silent))

    async def check(number: int, key: str) -> None:
        plan = replanned(PLAN, {key: OPTIONS[kind]})
        run = await start(temporal_server, temporal_settings, make_config(), plan, run=number)
        if kind is Kind.CANCELLED:
            await eventually(held[key].entered.is_set, 30)
            await run.handle.cancel()
        must = outcome(kind, key)
        where = f"{key} {kind}"
        assert await run.ended() is TEMPORAL_CALLS_IT[must.state], where
        assert tuple(steps.done_in(number)) == must.done, where
        await check_record(run, key, kind, must)
        await check_watchdog(run, where, stood_guard=must.freeze is not FreezeState.NEVER)

    steps = Steps(behave_in={number: {key: act(key)} for number, key in enumerate(KEYS)})
    async with steps.worker(temporal_server, temporal_settings):
        try:
            await gathered(*(check(number, key) for number, key in enumerate(KEYS)))
        finally:
            silent.release.set()


async def check_record(run: StartedRun, key: str, kind: Kind, must: Outcome) -> None:
    where = f"{key} {kind}"
    progress = await run.progress()
    assert progress.state is must.state, where
    assert progress.freeze is must.freeze, where
    assert (progress.still_frozen, progress.still_owed) == ((), ()), where
    (step,) = [step for step in progress.steps if step.key == key]
    assert step.state is must.step, where
    if must.state is not RunState.COMPLETED:
        assert step.reason == words(kind, key), where
    if must.state is not RunState.ERROR:
        return
    failure = await run.failure()
    assert failure.non_retryable, where
    made = KEYS.index(key) > KEYS.index("backup-plugin")
    assert ("is good" in failure.message) == made, "a failure later on does not make the backup bad"
    assert words(kind, key) in failure.message, where
    status = details_of(failure)
    assert (status.workflow.status, status.result.code) == ("ERROR", 1), where
    assert words(kind, key) in [m.message for m in status.result.messages], where
    taken = KEYS.index(key)
    states = ["COMPLETE"] * taken + ["ERROR"] + ["COMPLETE"] * len(must.undone)
    assert [s.status for s in status.workflow.steps] == states, where


async def check_watchdog(run: StartedRun, where: str, *, stood_guard: bool) -> None:
    """The watchdog of what was frozen has ended and did nothing; what never froze had none."""
    if stood_guard:
        assert await run.watchdog_ended() is WorkflowExecutionStatus.COMPLETED, where
        assert await run.watchdog_took_nothing(), where
        return
    with pytest.raises(RPCError) as caught:
        await run.watchdog.describe()
    assert caught.value.status is RPCStatusCode.NOT_FOUND, where


def test_the_table_says_what_the_tests_hold_true():
    if os.environ.get("WRITE_MATRIX"):
        DOCUMENT.write_text(document())
    assert DOCUMENT.read_text() == document(), "WRITE_MATRIX=1 writes it anew"
