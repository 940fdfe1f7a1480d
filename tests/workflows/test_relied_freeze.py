"""What thaws is told whether the run relies on it that the application was frozen until then."""

import pytest

from tests.factories import make_config
from tests.workflows.matrix import PLAN
from tests.workflows.runs import replanned, start
from tests.workflows.steps import Act, Steps, say_no, succeed_after
from workflows_app.domain import naming
from workflows_app.domain.plans.plans import OnFailure
from workflows_app.domain.states import RunState

PAUSE = {"on_failure": OnFailure.PAUSE, "may_skip": True}


@pytest.fixture
async def steps(temporal_server, temporal_settings):
    """Steps of a worker that runs; ``behave`` may still be filled."""
    taken = Steps()
    async with taken.worker(temporal_server, temporal_settings):
        yield taken


def told(steps: Steps) -> list[tuple[str, bool, bool]]:
    """Of each thaw by the plugin: whether it undid, and whether it was relied on."""
    return [
        (step.spec.key, step.compensates, step.relies_on_freeze)
        for step in steps.taken
        if step.spec.key == "unquiesce-plugin"
    ]


async def run_with(server, settings, steps: Steps, behave: dict[str, Act], options: dict[str, object]):
    steps.behave = behave
    plan = replanned(PLAN, dict.fromkeys(behave, options))
    return await start(server, settings, make_config(), plan)


async def test_a_run_that_goes_on_relies_on_it(temporal_server, temporal_settings, steps) -> None:
    run = await run_with(temporal_server, temporal_settings, steps, {}, {})
    await run.handle.result()
    assert told(steps) == [("unquiesce-plugin", False, True)]
    assert {step.spec.key for step in steps.taken if step.relies_on_freeze} == {
        "unquiesce-command", "unquiesce-plugin"
    }  # fmt: skip


@pytest.mark.parametrize("failing", ["quiesce-plugin", "backup-create-command"])
async def test_a_run_that_is_given_up_does_not(temporal_server, temporal_settings, steps, failing) -> None:
    run = await run_with(temporal_server, temporal_settings, steps, {failing: say_no}, {})
    await run.ended()
    assert (await run.progress()).state is RunState.ERROR
    assert told(steps) == [("unquiesce-plugin", True, False)]


@pytest.mark.parametrize(
    ("failing", "relied"),
    [("quiesce-plugin", False), ("backup-create-command", False), ("pre-unquiesce-command", True)],
)
async def test_a_thaw_before_a_wait_is_relied_on_when_the_backup_is_made(
    temporal_server, temporal_settings, steps, failing, relied
) -> None:
    behave = {failing: succeed_after(1, say_no)}
    run = await run_with(temporal_server, temporal_settings, steps, behave, PAUSE)
    step = await run.paused()
    assert told(steps) == [("unquiesce-plugin", True, relied)]
    await run.decide(naming.RETRY_UPDATE, step.step)
    await run.handle.result()
    assert told(steps)[1:] == ([] if relied else [("unquiesce-plugin", False, True)])


async def test_a_freeze_that_was_skipped_is_not_relied_on(temporal_server, temporal_settings, steps) -> None:
    skipped = {"on_failure": OnFailure.CONTINUE}
    run = await run_with(temporal_server, temporal_settings, steps, {"quiesce-plugin": say_no}, skipped)
    await run.handle.result()
    assert told(steps)[0] == ("unquiesce-plugin", False, False)
