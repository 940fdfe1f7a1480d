"""What a run of the product costs beyond Temporal itself: eight steps, one by one and fifty runs at once.

Both kinds of worker, what starts the runs and nothing else are in this process; the server is tuned as in the
tests. A run's time is from asking the service to start it to the result.
"""

import asyncio
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import call_command
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

from tests.bench.bare import STEPS, BareRun, bare_worker, nothing, spawn
from tests.bench.table import SECONDS, Row, say, show, show_head
from tests.bench.timing import async_medians, scale
from tests.conftest import eventually, running_worker, start_temporal
from tests.factories import OPERATOR, make_catalog
from workflows_app.contracts.runs import BackupInput
from workflows_app.domain.config import Config
from workflows_app.domain.naming import run_workflow_id
from workflows_app.domain.plans.plans import Plan, Stage, backup_plan
from workflows_app.models import Run
from workflows_app.services.configurations import catalog
from workflows_app.services.runs import starts
from workflows_app.worker import WorkerOptions
from workflows_app.workflows.backup import BackupWorkflow

ROUNDS = scale("ROUNDS", 20)
AT_ONCE = scale("RUNS_AT_ONCE", 50)
ROUNDS_AT_ONCE = scale("ROUNDS_AT_ONCE", 3)
AIM = 1.15
PROFILE, POLICY = "bench", "daily"
WORKER_ACTIVITIES = WorkerOptions("").activities

_FIELDS = (
    "preAppQuiesceCmd", "postAppQuiesceCmd", "backupCreateCmd", "preAppUnquiesceCmd", "postAppUnquiesceCmd",
    "archiveCreateCmd", "archiveDeleteCmd", "backupDeleteCmd",
)  # fmt: skip
COMMANDS = dict.fromkeys(_FIELDS, "true")
# The same number of steps, of which one freezes and one thaws: with a watchdog.
FREEZING = {
    {"postAppQuiesceCmd": "appQuiesceCmd", "postAppUnquiesceCmd": "appUnquiesceCmd"}.get(name, name): "true"
    for name in _FIELDS
}
PLUGINS = {
    "appPlugin": "sample-app",
    "storagePlugin": "sample-storage",
    "archivePlugin": "sample-archive",
    "autoDiscovery": True,
}

Shape = Callable[[int], Awaitable[None]]


def plugin_plan(config: Config) -> Plan:
    """Eight steps of plugins that do nothing, none of which freezes."""
    steps = [step for step in backup_plan(config).steps if "quiesce" not in step.key]
    steps.append(steps[-1].model_copy(update={"key": "once-more"}))
    return Plan(stages=tuple(Stage(steps=(step,)) for step in steps))


class Shapes:
    """The kinds of runs; each takes the number of the configuration to run, from 0 on."""

    def __init__(self, client: Client, queue: str) -> None:
        self._client = client
        self._queue = queue

    async def bare(self, number: int) -> None:
        """A bare workflow of no-op activities."""
        await self._bare(nothing.__name__)

    async def bare_spawn(self, number: int) -> None:
        """A bare workflow whose activities run ``true``."""
        await self._bare(spawn.__name__)

    async def commands(self, number: int) -> None:
        """Commands that do nothing."""
        await self._started(f"commands-{number}")

    async def freezing(self, number: int) -> None:
        """The same with one that freezes."""
        await self._started(f"freezing-{number}")

    async def plugins(self, number: int) -> None:
        """Steps of plugins that do nothing."""
        name = f"plugins-{number}"
        order = await sync_to_async(catalog.order_backup)(OPERATOR, PROFILE, name, POLICY)
        run = await starts.new_run(OPERATOR, "backup", order.config, POLICY)
        config = order.config.for_run(run.pk, POLICY, 1_700_000_000)
        given = BackupInput(run=run.pk, config=config, plan=plugin_plan(config), requested_by="olga")
        await starts.launch(run, BackupWorkflow.run, given)
        await starts.note_start(OPERATOR, run, "bench")
        await self._result(name)

    async def _bare(self, name: str) -> None:
        await self._client.execute_workflow(
            BareRun.run, f"bench.{name}", id=f"bare-{uuid4().hex}", task_queue=f"{self._queue}-bare"
        )

    async def _started(self, name: str) -> None:
        await starts.start_backup(OPERATOR, PROFILE, name, POLICY)
        await self._result(name)

    async def _result(self, name: str) -> None:
        handle = self._client.get_workflow_handle(run_workflow_id(PROFILE, name))
        result = await handle.result()
        if len(result["workflow"]["steps"]) != STEPS:
            raise RuntimeError(f"{name} took {len(result['workflow']['steps'])} steps")


async def settled() -> None:
    """Wait until the recorder has nothing more to do, or one kind's rest would be another's burden."""
    await eventually(lambda: sync_to_async(lambda: not Run.objects.unsettled().exists())(), timeout=60)


async def measure(shapes: Shapes, recorder: bool) -> None:
    """Print the rows of one kind of worker."""
    kinds: dict[str, Shape] = {
        "bare": shapes.bare,
        "spawn": shapes.bare_spawn,
        "commands": shapes.commands,
        "plugins": shapes.plugins,
        "freezing": shapes.freezing,
    }
    rest = settled if recorder else None
    one = await async_medians(ROUNDS, {kind: lambda run=run: run(0) for kind, run in kinds.items()}, rest)
    say(f"the worker's recorder is {'on' if recorder else 'off'}")
    _show("one run", one, "plugins", "bare", "plugin steps / bare no-op activities")
    _show("one run", one, "commands", "bare", "commands `true` / bare no-op activities")
    _show("one run", one, "commands", "spawn", "commands `true` / bare activities that spawn `true`")
    _show("one run", one, "freezing", "commands", "commands with a freeze and its watchdog / without", None)

    def all_of(run: Shape) -> Callable[[], Awaitable[object]]:
        return lambda: asyncio.gather(*(run(number) for number in range(AT_ONCE)))

    crowd = {kind: all_of(kinds[kind]) for kind in ("bare", "commands", "plugins")}
    many = await async_medians(ROUNDS_AT_ONCE, crowd, rest, warm_up=False)
    _show(f"{AT_ONCE} at once", many, "plugins", "bare", "plugin steps / bare no-op activities")
    _show(f"{AT_ONCE} at once", many, "commands", "bare", "commands `true` / bare no-op activities")


def _show(
    how: str, taken: dict[str, float], ours: str, baseline: str, what: str, aim: float | None = AIM
) -> None:
    show(Row(f"{how}: {what}", taken[ours], taken[baseline], SECONDS, most_ratio=aim))


@contextmanager
def no_banner() -> Iterator[None]:
    """Send away what a server that is started here prints; it has this process's standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


async def main() -> None:
    """Measure with the recorder off and on."""
    logging.disable(logging.WARNING)
    await sync_to_async(call_command)("migrate", interactive=False, verbosity=0)
    for number in range(AT_ONCE):
        for name, given in (("commands", COMMANDS), ("freezing", FREEZING), ("plugins", PLUGINS)):
            await sync_to_async(make_catalog)(PROFILE, f"{name}-{number}", **given)
    show_head(
        f"overhead: a run of {STEPS} steps, from its start to its result; medians of {ROUNDS} "
        f"({ROUNDS_AT_ONCE} at once)"
    )
    with tempfile.TemporaryDirectory(prefix="fossul-bench-") as folder:
        with no_banner():
            environment = await start_temporal(
                dev_server_database_filename=str(Path(folder) / "temporal.sqlite3"),
                data_converter=pydantic_data_converter,
            )
        async with environment:
            client = environment.client
            settings.TEMPORAL_ADDRESS = client.service_client.config.target_host
            settings.TEMPORAL_NAMESPACE = client.namespace
            for recorder in (False, True):
                queue = f"bench-{recorder}"
                settings.TEMPORAL_TASK_QUEUE = queue
                # Runs that the worker before left unrecorded would keep this one's recorder busy.
                await Run.objects.all().adelete()
                async with (
                    running_worker(queue, record=recorder),
                    bare_worker(client, f"{queue}-bare", WORKER_ACTIVITIES),
                ):
                    await measure(Shapes(client, queue), recorder)


if __name__ == "__main__":
    asyncio.run(main())
    shutil.rmtree(settings.FOSSUL_VAR_DIR, ignore_errors=True)
    # A process in which a worker ran may crash while the interpreter exits (sdk-python issue 300).
    os._exit(0)
