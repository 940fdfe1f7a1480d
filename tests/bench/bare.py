"""A run of eight steps as Temporal alone would have it: what ours is compared with."""

import subprocess
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

STEPS = 8


@activity.defn(name="bench.nothing")
def nothing(step: int) -> int:
    """Do nothing."""
    return step


@activity.defn(name="bench.spawn")
def spawn(step: int) -> int:
    """Run a program that does nothing."""
    subprocess.run(["true"], check=True, stdin=subprocess.DEVNULL)
    return step


@workflow.defn(name="bench.bare")
class BareRun:
    """Eight activities of one type, one after the other."""

    @workflow.run
    async def run(self, name: str) -> int:
        """Answer how many were done."""
        for step in range(STEPS):
            await workflow.execute_activity(name, step, start_to_close_timeout=timedelta(minutes=1))
        return STEPS


@asynccontextmanager
async def bare_worker(client: Client, task_queue: str, at_once: int) -> AsyncIterator[None]:
    """A worker for bare runs that does as many things at once as the product's."""
    with ThreadPoolExecutor(at_once) as pool:
        async with Worker(
            client,
            task_queue=task_queue,
            workflows=[BareRun],
            activities=[nothing, spawn],
            activity_executor=pool,
            max_concurrent_activities=at_once,
            max_concurrent_workflow_tasks=at_once,
        ):
            yield
