"""``python -m tests.workflows.record_histories``: records anew the histories that test_replay.py replays.

To be run only when the order of a workflow's commands is changed on purpose, and the change must say so:
runs that began with the old code cannot go on with the new one.
"""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import django
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

from tests.conftest import DEV_SERVER, eventually, temporal_binary
from tests.factories import EVERY_STEP, make_config
from tests.workflows.steps import Held, Steps, crash, say_no, succeed_after
from workflows_app.contracts import BackupInput, StepInput
from workflows_app.domain.config import Config
from workflows_app.domain.plans import Plan, Stage, backup_plan
from workflows_app.domain.results import Result
from workflows_app.workflows.backup import BackupWorkflow

FOLDER = Path(__file__).parent / "histories"
TASK_QUEUE = "recording"


# The fewest steps that freeze and thaw by a command and by a plugin.
FEW_STEPS = {name: "" for name in EVERY_STEP if name.startswith(("pre", "post"))}
NO_STEPS = dict.fromkeys(EVERY_STEP, "")


@dataclass
class Case:
    """A run that is worth keeping; ``behave`` as in Steps. One that is ``held`` is cancelled in that step."""

    behave: dict[str, Callable[[StepInput], Result]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=lambda: FEW_STEPS)
    plan: Callable[[Config], Plan] = backup_plan
    held: Held | None = None


def in_parallel(config: Config) -> Plan:
    """The plan of a backup, whose command and plugin run at the same time."""
    quiesce, quiesce_plugin, command, plugin, *thaw = backup_plan(config).stages
    return Plan(stages=(quiesce, quiesce_plugin, Stage(steps=(*command.steps, *plugin.steps)), *thaw))


def cases() -> dict[str, Case]:
    """Every case by its name, which is also that of its file."""
    held = Held()
    return {
        "complete": Case(settings={}),
        "nothing_configured": Case(settings=NO_STEPS),
        "failed_step_and_compensation": Case({"backup-plugin": say_no}),
        "crashed_step_and_compensation": Case({"quiesce-plugin": crash}),
        "retried_thaw": Case({"unquiesce-plugin": succeed_after(1, crash)}),
        "cancelled": Case({"backup-plugin": held}, held=held),
        "parallel_stage": Case(plan=in_parallel),
        "failure_in_parallel_stage": Case({"backup-create-command": say_no}, plan=in_parallel),
        "thaw_fails_for_good": Case({"backup-plugin": say_no, "unquiesce-command": say_no}),
    }


async def record(client: Client, name: str, case: Case) -> str:
    """Run a case to its end and answer its history as JSON, one event a line."""
    config = make_config(configName=name, **case.settings)
    backup = BackupInput(run=7, config=config, plan=case.plan(config), requested_by="olga")
    async with Steps(case.behave).worker(client, TASK_QUEUE):
        handle = await client.start_workflow(
            BackupWorkflow.run, backup, id=f"fossul/test/{name}", task_queue=TASK_QUEUE
        )
        if case.held is not None:
            await eventually(case.held.entered.is_set)
            await handle.cancel()
        with suppress(WorkflowFailureError):
            await handle.result()
    history = await handle.fetch_history()
    events = json.loads(history.to_json(), object_hook=without_paths)["events"]
    return '{"events": [\n' + ",\n".join(json.dumps(event, sort_keys=True) for event in events) + "\n]}\n"


def without_paths(part: dict[str, object]) -> dict[str, object]:
    """Leave out what names the folders of the machine that recorded."""
    return {key: value for key, value in part.items() if key != "stackTrace"}


async def main() -> None:
    """Record all cases on a server of their own, and remove the files of cases that are no more."""
    logging.disable(logging.WARNING)  # the failures are wanted
    FOLDER.mkdir(exist_ok=True)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_binary(),
        dev_server_log_level="error",
        dev_server_extra_args=DEV_SERVER,
        data_converter=pydantic_data_converter,
        identity="recorder",
        ui=False,
    ) as environment:
        recorded = {name: await record(environment.client, name, case) for name, case in cases().items()}
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, history in recorded.items():
        (FOLDER / f"{name}.json").write_text(history)
        print(f"{name}: {len(history) // 1024} kB")
    # A process in which a worker ran may crash while the interpreter exits (sdk-python issue 300).
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
