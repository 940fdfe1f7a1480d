"""How a worker comes to its end, also where Temporal's library does not."""

import asyncio
import logging

import pytest
from temporalio.bridge.worker import Worker as BridgeWorker

from tests.conftest import eventually
from workflows_app import worker
from workflows_app.services.temporal import workers
from workflows_app.worker import WorkerOptions, WorkerRunner, shut_down


async def test_a_worker_that_the_library_does_not_end_is_left(temporal_settings, monkeypatch, caplog):
    finalize = BridgeWorker.finalize_shutdown

    async def never(self: BridgeWorker) -> None:
        await finalize(self)
        await asyncio.Event().wait()

    monkeypatch.setattr(BridgeWorker, "finalize_shutdown", never)
    monkeypatch.setattr(worker, "END_SECONDS", 0.2)
    runner = WorkerRunner(WorkerOptions(temporal_settings, record=False))
    running = asyncio.create_task(runner.run())
    await eventually(lambda: workers.pollers(temporal_settings))
    runner.stop()
    with caplog.at_level(logging.WARNING):
        await asyncio.wait_for(running, 30)
    assert "Nothing runs any more: it is left" in caplog.text


async def test_it_is_not_left_while_a_step_runs(monkeypatch):
    monkeypatch.setattr(worker, "END_SECONDS", 0.01)
    asked: list[bool] = []

    class Stuck:
        """A worker that ends when its run is cancelled, and not when it is asked to."""

        def __init__(self) -> None:
            self._ended = asyncio.Event()

        async def run(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                self._ended.set()

        async def shutdown(self) -> None:
            await self._ended.wait()

    def busy() -> bool:
        asked.append(running.done())
        return len(asked) < 3

    stuck = Stuck()
    running = asyncio.create_task(stuck.run())
    await asyncio.sleep(0)
    await shut_down({stuck: running}, busy)
    assert asked == [False, False, False]
    with pytest.raises(asyncio.CancelledError):
        await running
