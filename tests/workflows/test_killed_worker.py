"""Worker processes that are killed in the middle of steps: the next one finds out, and undoes."""

import asyncio
import sys
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually
from tests.factories import make_config, make_run
from tests.worker.processes import worker_process
from tests.workflows.matrix import PLAN, Kind, outcome
from tests.workflows.runs import StartedRun, gathered, start
from workflows_app.domain.plans.plans import Plan, Stage, StepSpec
from workflows_app.domain.states import StepState
from workflows_app.models import Run

# A command that notes that it was taken. The first of one name that may stay does so until it may go.
COMMAND = """
import os, pathlib, sys, time
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
with open(folder / "taken", "a") as file:
    file.write(name + "\\n")
try:
    os.rename(folder / f"stay-{name}", folder / f"stays-{name}")
except FileNotFoundError:
    sys.exit()
while not (folder / "go").exists() and folder.exists():
    time.sleep(0.02)
"""

LOST_IN = ["quiesce-command", "backup-create-command", "unquiesce-command", "archive-create-command"]


def noting(folder: Path, lost_in: str) -> Plan:
    """The plan of a backup whose commands note that they were taken; one stays until its worker is lost."""

    def replan(step: StepSpec) -> StepSpec:
        if not step.command:
            return step
        heartbeat = {"heartbeat_seconds": 3.0} if step.key == lost_in else {}
        return step.model_copy(
            update={
                "command": "",
                "line": f"{sys.executable},{folder.parent / 'command.py'},{folder},{step.key}",
                "options": step.options.model_copy(update=heartbeat),
            }
        )

    stages = tuple(Stage(steps=tuple(map(replan, stage.steps))) for stage in PLAN.stages)
    return PLAN.model_copy(update={"stages": stages, "on_error": tuple(map(replan, PLAN.on_error))})


@pytest.mark.django_db(transaction=True)
async def test_what_a_killed_worker_left_frozen_or_mounted_is_undone(
    temporal_server, temporal_settings, tmp_path
):
    address = temporal_server.service_client.config.target_host
    (tmp_path / "command.py").write_text(COMMAND)
    runs = {key: await begin(temporal_server, temporal_settings, tmp_path / key, key) for key in LOST_IN}
    with worker_process(address, temporal_settings, tmp_path) as first:
        await gathered(*(eventually((tmp_path / key / f"stays-{key}").exists, 30) for key in LOST_IN))
        first.kill()
    for key in LOST_IN:
        (tmp_path / key / "go").touch()
    with worker_process(address, temporal_settings, tmp_path):
        await gathered(*(check(runs[key], tmp_path / key, key) for key in LOST_IN))


async def begin(client, task_queue: str, folder: Path, key: str) -> StartedRun:
    """Start a backup, and make its row, which the worker keeps."""
    folder.mkdir()
    (folder / f"stay-{key}").touch()
    config = make_config()
    row = await sync_to_async(make_run)(profile=config.profile_name, config=config.config_name, run_id="")
    run = await start(client, task_queue, config, noting(folder, key), run=row.pk)
    await Run.objects.filter(pk=row.pk).aupdate(run_id=run.handle.first_execution_run_id)
    return run


async def check(run: StartedRun, folder: Path, key: str) -> None:
    must = outcome(Kind.WORKER_LOST, key)
    await asyncio.wait_for(run.ended(), 30)
    progress = await run.progress()
    assert (progress.state, progress.freeze, progress.still_owed) == (must.state, must.freeze, ()), key
    taken = (folder / "taken").read_text().splitlines()
    done = [name.removeprefix("undo ") for name in must.done]
    assert taken == [name for name in done if name.endswith("-command")], key
    undone = {step.key.removeprefix("undo-"): step.state for step in progress.steps if step.compensates}
    assert set(undone.values()) <= {StepState.COMPLETE}, key
    assert [*undone] == [name for name in must.undone if name in UNDOES], key
    await run.watchdog_ended()
    assert await run.watchdog_took_nothing(), key
    row = await eventually(Run.objects.filter(pk=run.given.run, finished__isnull=False).afirst)
    assert row.status == must.state.value, key


UNDOES = {step.undo for step in PLAN.steps}
