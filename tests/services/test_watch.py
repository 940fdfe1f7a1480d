"""Watching: lines and steps as they come, nothing lost, nothing doubled, and free for Temporal."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually, running_worker
from tests.factories import OPERATOR, make_catalog
from workflows_app.domain.states import RunState, StepState
from workflows_app.models import Run, RunMessage
from workflows_app.services.logs.messages import LogLine, Tail
from workflows_app.services.recording.watch import watch
from workflows_app.services.runs import control, runs, starts
from workflows_app.services.temporal.client import temporal
from workflows_app.services.temporal.progress import Sight, look

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)
get_run = sync_to_async(runs.get_run)


class Eye:
    """Somebody who watches a run and remembers what was seen."""

    def __init__(self, number: int) -> None:
        self.lines: list[LogLine] = []
        self.sights: list[Sight] = []
        self._task = asyncio.create_task(self._look(number))

    async def _look(self, number: int) -> None:
        async with watch(Tail(number)) as stream:
            async for seen in stream:
                if isinstance(seen, Sight):
                    self.sights.append(seen)
                else:
                    self.lines.extend(seen)

    async def done(self) -> None:
        await asyncio.wait_for(self._task, 30)

    def texts(self) -> list[str]:
        return [line.text for line in self.lines]


async def start(**settings: object) -> int:
    config = await catalog(**settings)
    return await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")


async def test_lines_and_steps_are_seen_while_the_command_still_runs(worker, two_lines):
    command, go = two_lines
    eye = Eye(number := await start(preAppQuiesceCmd=command))
    await eventually(lambda: "first" in eye.texts())
    assert "second" not in eye.texts()
    assert eye.sights[-1].progress.steps[0].state in (StepState.WAITING, StepState.RUNNING)
    await eventually(lambda: eye.sights[-1].progress.steps[0].state is StepState.RUNNING)
    go.touch()
    await eye.done()
    assert eye.sights[-1].progress.state is RunState.COMPLETED
    stored = await sync_to_async(
        lambda: list(RunMessage.objects.filter(run=number).order_by("step", "attempt", "seq"))
    )()
    assert [(x.step, x.attempt, x.seq, x.text) for x in eye.lines] == [
        (x.step, x.attempt, x.seq, x.text) for x in stored
    ]
    assert [line.seq for line in eye.lines] == list(range(1, len(eye.lines) + 1))


async def test_two_watchers_see_the_same_and_the_history_does_not_grow(worker, two_lines):
    command, go = two_lines
    number = await start(preAppQuiesceCmd=command)
    eyes = [Eye(number) for _ in range(2)]
    await eventually(lambda: all("first" in eye.texts() for eye in eyes))
    run = await get_run(OPERATOR, number)
    async with temporal() as client:
        handle = client.get_workflow_handle(run.address.workflow_id, run_id=run.address.run_id)
        before = len((await handle.fetch_history()).events)
        await eventually(lambda: all(eye.sights[-1].progress.steps[0].heartbeat for eye in eyes))
        assert len((await handle.fetch_history()).events) == before
    go.touch()
    for eye in eyes:
        await eye.done()
    assert eyes[0].lines == eyes[1].lines


async def test_a_late_watcher_sees_everything(temporal_settings):
    async with running_worker(temporal_settings, record=False):
        number = await start(preAppQuiesceCmd="echo,one", postAppUnquiesceCmd="echo,two")
        run = await get_run(OPERATOR, number)

        async def closed() -> bool:
            return (await look(run.address)).closed

        await eventually(closed)
    assert (await get_run(OPERATOR, number)).summary.state is RunState.RUNNING, "nobody recorded it"
    eye = Eye(number)
    await eye.done()
    assert {"one", "two"} <= set(eye.texts())
    assert eye.sights[-1].progress.state is RunState.COMPLETED
    assert (await get_run(OPERATOR, number)).summary.state is RunState.COMPLETED


async def test_without_a_worker_the_watcher_is_told_which_queue_nobody_polls(temporal_settings):
    eye = Eye(number := await start(preAppQuiesceCmd="echo,x"))
    await eventually(lambda: any(sight.stall for sight in eye.sights))
    assert temporal_settings in eye.sights[-1].stall.words
    assert eye.sights[-1].progress.state is RunState.RUNNING
    async with running_worker(temporal_settings):
        await eye.done()
    assert eye.sights[-1].stall is None
    assert (await get_run(OPERATOR, number)).summary.state is RunState.COMPLETED


async def test_a_run_that_temporal_does_not_know_ends_as_unknown(temporal_settings):
    number = await start(preAppQuiesceCmd="echo,x")
    await control.cancel_run(OPERATOR, number)
    await Run.objects.filter(pk=number).aupdate(run_id="11111111-1111-1111-1111-111111111111")
    eye = Eye(number)
    await eye.done()
    assert (await get_run(OPERATOR, number)).summary.state is RunState.UNKNOWN


async def test_looking_once_shows_the_running_step(worker, two_lines):
    command, go = two_lines
    number = await start(preAppQuiesceCmd=command)
    run = await get_run(OPERATOR, number)

    async def running() -> Sight | None:
        sight = await look(run.address)
        return sight if sight.progress.steps and sight.progress.steps[0].state is StepState.RUNNING else None

    sight = await eventually(running)
    assert not sight.closed
    go.touch()
    await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert (await look(run.address)).result.workflow.status == "COMPLETED"
