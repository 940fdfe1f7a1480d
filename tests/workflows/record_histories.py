"""``python -m tests.workflows.record_histories``: records anew the histories that test_replay.py replays.

With names of cases it records those alone, which is what a new case needs.
To be run only when the order of a workflow's commands is changed on purpose, and the change must say so:
runs that began with the old code cannot go on with the new one.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import django
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()

from django.conf import settings

from tests.conftest import eventually, start_temporal
from tests.factories import EVERY_STEP, make_config
from tests.workflows.runs import StartedRun, replanned, start
from tests.workflows.steps import GOOD, Act, Held, Silent, Steps, crash, say_no, succeed_after
from workflows_app.contracts.checks import CheckInput
from workflows_app.contracts.points import CatalogueInput
from workflows_app.contracts.runs import BackupInput, QueueInput, RestoreInput
from workflows_app.contracts.schedules import PreparedRun, ScheduledInput
from workflows_app.contracts.thaws import ThawOrder
from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.findings import CheckPart
from workflows_app.domain.plans.plans import OnFailure, Plan, Stage, backup_plan, restore_plan
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.workflows.catalogue import CatalogueWorkflow
from workflows_app.workflows.check import CheckWorkflow
from workflows_app.workflows.queue import QueueWorkflow
from workflows_app.workflows.restore import RestoreWorkflow
from workflows_app.workflows.scheduled import ScheduledWorkflow

FOLDER = Path(__file__).parent / "histories"
TASK_QUEUE = "recording"

NO_STEPS = {name: type(value)() for name, value in EVERY_STEP.items()}
# The fewest steps that freeze and thaw by a command and by a plugin.
FEW_STEPS = NO_STEPS | {
    name: EVERY_STEP[name]
    for name in (
        "appPlugin",
        "storagePlugin",
        "appQuiesceCmd",
        "backupCreateCmd",
        "appUnquiesceCmd",
        "sendTrapErrorCmd",
    )
}


async def kept_run(run: StartedRun) -> WorkflowHandle:
    return run.handle


async def kept_watchdog(run: StartedRun) -> WorkflowHandle:
    return run.watchdog


@dataclass
class Case:
    """A run that is worth keeping; ``behave`` as in Steps.

    ``hold`` is a step that does not end by itself. ``meanwhile`` is done while the run goes on; ``kept``
    answers whose history it is about, and ``ends`` how that one must have ended. ``prepares`` is what a
    scheduled run is to start, given a backup.
    """

    behave: dict[str, Act] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=lambda: FEW_STEPS)
    plan: Callable[[Config], Plan] = backup_plan
    begin: Callable[[Client, Config, Plan], Awaitable[StartedRun]] | None = None
    hold: Held | Silent | None = None
    meanwhile: Callable[[StartedRun], Awaitable[None]] | None = None
    kept: Callable[[StartedRun], Awaitable[WorkflowHandle]] = kept_run
    ends: str = "FAILED"
    prepares: Callable[[BackupInput], PreparedRun] | None = None


def in_parallel(config: Config) -> Plan:
    """The plan of a backup, whose command and plugin run at the same time."""
    quiesce, quiesce_plugin, command, plugin, *thaw = backup_plan(config).stages
    return Plan(stages=(quiesce, quiesce_plugin, Stage(steps=(*command.steps, *plugin.steps)), *thaw))


def with_backup(**options: object) -> Callable[[Config], Plan]:
    """The plan of a backup, whose backup step has other options."""
    return lambda config: replanned(backup_plan(config), {"backup-plugin": options})


def pausing(**changes: object) -> Callable[[Config], Plan]:
    """The plan of a backup that waits for a person when the backup fails."""
    options = {"on_failure": OnFailure.PAUSE, "may_skip": True}
    return lambda config: replanned(backup_plan(config), {"backup-plugin": options}, **changes)


def deciding(update: str) -> Callable[[StartedRun], Awaitable[None]]:
    """Decide about the step for which the run waits."""

    async def decide(run: StartedRun) -> None:
        await run.decide(update, (await run.paused()).step)

    return decide


async def cancel(run: StartedRun) -> None:
    await run.handle.cancel()


async def cancel_the_wait(run: StartedRun) -> None:
    await run.paused()
    await run.handle.cancel()


async def order_the_thaw(run: StartedRun) -> None:
    await run.watchdog.signal(naming.THAW_SIGNAL, ThawOrder(by="olga"))


async def see_the_watchdog_end(run: StartedRun) -> None:
    await run.ended()
    await run.watchdog_ended()


async def begin_restore(client: Client, config: Config, plan: Plan) -> StartedRun:
    restored = config.for_restore(7, GOOD, 1_700_000_100)
    given = RestoreInput(run=7, config=restored, plan=plan, requested_by="olga", request=RestoreRequest())
    workflow_id = naming.run_workflow_id(config.profile_name, config.config_name)
    handle = await client.start_workflow(RestoreWorkflow.run, given, id=workflow_id, task_queue=TASK_QUEUE)
    return StartedRun(client, handle, given)


async def begin_catalogue(client: Client, config: Config, plan: Plan) -> StartedRun:
    given = BackupInput(run=7, config=config, plan=plan, requested_by="olga")
    handle = await client.start_workflow(
        CatalogueWorkflow.run,
        CatalogueInput(config=config),
        id=f"fossul-catalogue/{config.config_name}",
        task_queue=TASK_QUEUE,
    )
    return StartedRun(client, handle, given)


def expected(backup: BackupInput, *, queues: bool = False) -> PreparedRun:
    """A backup that a schedule expects, ready to start."""
    return PreparedRun(
        run=backup.run,
        backup=backup,
        queues=queues,
        workflow_id=naming.run_workflow_id(backup.config.profile_name, backup.config.config_name),
        memo={naming.MEMO_RUN: backup.run},
        summary="A backup",
    )


def refused(words: str) -> Callable[[BackupInput], PreparedRun]:
    """An expected backup that cannot start, or came too late."""
    return lambda backup: PreparedRun(run=backup.run, refusal=words, failed=True)


async def start_scheduled(client: Client, config: Config) -> WorkflowHandle:
    """Do what a schedule does when it is due."""
    scheduled = ScheduledInput(
        profile=config.profile_name,
        config=config.config_name,
        policy="daily",
        name="nightly",
        cron="0 3 * * *",
        catch_up_seconds=3600,
    )
    schedule = naming.schedule_id(config.profile_name, config.config_name, "daily", "nightly")
    return await client.start_workflow(ScheduledWorkflow.run, scheduled, id=schedule, task_queue=TASK_QUEUE)


async def begin_scheduled(client: Client, config: Config, plan: Plan) -> StartedRun:
    given = BackupInput(run=8, config=config, plan=plan, requested_by="schedule nightly")
    return StartedRun(client, await start_scheduled(client, config), given)


async def kept_scheduled(run: StartedRun) -> WorkflowHandle:
    """Let a schedule be due while the run holds the lock; see it skipped, or waiting."""
    handle = await start_scheduled(run.client, run.given.config)
    await eventually(lambda: is_settled(handle))
    return handle


async def is_settled(scheduled: WorkflowHandle) -> bool:
    """Whether what a schedule started has ended, or has what waits for the lock."""
    names = {EventType.Name(event.event_type) for event in (await scheduled.fetch_history()).events}
    return bool(
        names & {"EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED", "EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED"}
    )


async def begin_check(client: Client, config: Config, plan: Plan) -> StartedRun:
    given = BackupInput(run=7, config=config, plan=plan, requested_by="olga")
    handle = await client.start_workflow(
        CheckWorkflow.run,
        CheckInput(config=config, parts=tuple(CheckPart)),
        id=f"fossul-check/{config.config_name}",
        task_queue=TASK_QUEUE,
    )
    return StartedRun(client, handle, given)


async def kept_queue(run: StartedRun) -> WorkflowHandle:
    """Queue another backup while the run holds the lock, let the run end, and see the other one start."""
    config = run.given.config
    workflow_id = naming.run_workflow_id(config.profile_name, config.config_name)
    handle = await run.client.start_workflow(
        QueueWorkflow.run,
        QueueInput(workflow_id=workflow_id, backup=run.given, memo={naming.MEMO_RUN: 8}, summary="A backup"),
        id=naming.queue_workflow_id(config.profile_name, config.config_name),
        task_queue=TASK_QUEUE,
    )
    await eventually(lambda: is_waiting(handle))
    return handle


async def is_waiting(queue: WorkflowHandle) -> bool:
    """Whether a queue was refused the lock at least once."""
    events = (await queue.fetch_history()).events
    return any(event.HasField("timer_started_event_attributes") for event in events)


def cases() -> dict[str, Case]:
    """Every case by its name, which is also that of its file."""
    backup = {"backup-plugin": say_no}
    short = {"stays_frozen": True, "freeze_budget_seconds": 1.0}

    def held(**changes: object) -> Case:
        step = Held()
        return Case({"backup-plugin": step}, hold=step, **changes)  # type: ignore[arg-type]

    def silent(**options: object) -> Case:
        step = Silent()
        return Case({"backup-plugin": step}, plan=with_backup(**options), hold=step)

    def watched(behave: dict[str, Act], plan: Callable[[Config], Plan], **changes: object) -> Case:
        return Case(behave, plan=plan, meanwhile=see_the_watchdog_end, **changes)  # type: ignore[arg-type]

    return {
        "complete": Case(settings={}, ends="COMPLETED"),
        "nothing_configured": Case(settings=NO_STEPS, ends="COMPLETED"),
        "failed_step_and_compensation": Case(backup),
        "crashed_step_and_compensation": Case({"quiesce-plugin": crash}),
        "timed_out_step_and_compensation": silent(timeout_seconds=0.5),
        "lost_worker_and_compensation": silent(heartbeat_seconds=0.5),
        "retried_step": Case(
            {"backup-plugin": succeed_after(1, crash)},
            plan=with_backup(attempts=2, backoff_seconds=0.1),
            ends="COMPLETED",
        ),
        "retried_thaw": Case({"unquiesce-plugin": succeed_after(1, crash)}, ends="COMPLETED"),
        "cancelled": held(meanwhile=cancel, ends="CANCELED"),
        "parallel_stage": Case(plan=in_parallel, ends="COMPLETED"),
        "failure_in_parallel_stage": Case({"backup-create-command": say_no}, plan=in_parallel),
        "thaw_fails_for_good": Case({"backup-plugin": say_no, "unquiesce-command": say_no}),
        "gone_on_without_a_step": Case(
            backup, plan=with_backup(on_failure=OnFailure.CONTINUE), ends="COMPLETED"
        ),
        "paused_and_retried": Case(
            {"backup-plugin": succeed_after(1, say_no)},
            plan=pausing(),
            meanwhile=deciding(naming.RETRY_UPDATE),
            ends="COMPLETED",
        ),
        "paused_and_skipped": Case(
            backup, plan=pausing(), meanwhile=deciding(naming.SKIP_UPDATE), ends="COMPLETED"
        ),
        "paused_and_aborted": Case(backup, plan=pausing(), meanwhile=deciding(naming.ABORT_UPDATE)),
        "paused_and_cancelled": Case(backup, plan=pausing(), meanwhile=cancel_the_wait, ends="CANCELED"),
        "paused_and_nobody_decided": Case(backup, plan=pausing(pause_seconds=0.5)),
        "paused_frozen_and_retried": Case(
            {"backup-plugin": succeed_after(1, say_no)},
            plan=pausing(stays_frozen=True),
            meanwhile=deciding(naming.RETRY_UPDATE),
            ends="COMPLETED",
        ),
        "paused_frozen_beyond_the_budget": watched(backup, pausing(**short)),
        "thawed_by_order": held(meanwhile=order_the_thaw),
        "restore": Case(
            plan=lambda config: restore_plan(config, dry_run=False),
            begin=begin_restore,
            ends="COMPLETED",
        ),
        "restore_after_a_safety_backup": Case(
            plan=lambda config: restore_plan(config, dry_run=False, safety=True),
            begin=begin_restore,
            ends="COMPLETED",
        ),
        "failed_restore": Case(
            {"restore-plugin": say_no},
            plan=lambda config: restore_plan(config, dry_run=False),
            begin=begin_restore,
        ),
        "catalogue": Case(begin=begin_catalogue, ends="COMPLETED"),
        "check": Case(begin=begin_check, ends="COMPLETED"),
        "queue": held(kept=kept_queue, ends="COMPLETED"),
        "scheduled_and_started": Case(begin=begin_scheduled, prepares=expected, ends="COMPLETED"),
        "scheduled_and_queued": held(
            kept=kept_scheduled, prepares=lambda backup: expected(backup, queues=True), ends="COMPLETED"
        ),
        "scheduled_and_skipped": held(kept=kept_scheduled, prepares=expected, ends="COMPLETED"),
        "scheduled_and_refused": Case(
            begin=begin_scheduled, prepares=refused("The schedule nightly could not start it.")
        ),
        "scheduled_and_missed": Case(begin=begin_scheduled, prepares=refused("No worker took it for 2 h.")),
        "watchdog_of_a_run_that_thaws": watched({}, backup_plan, kept=kept_watchdog, ends="COMPLETED"),
        "watchdog_beyond_the_budget": watched(backup, pausing(**short), kept=kept_watchdog, ends="COMPLETED"),
        "watchdog_whose_thaw_said_no_once": watched(
            {**backup, "unquiesce-command": succeed_after(1, say_no)},
            pausing(**short),
            kept=kept_watchdog,
            ends="COMPLETED",
        ),
    }


async def record(client: Client, name: str, case: Case) -> str:
    """Run a case to its end and answer its history as JSON, one event a line."""
    config = make_config(configName=name, **case.settings)
    plan = case.plan(config)
    steps = Steps(case.behave)
    if case.prepares is not None:
        scheduled = BackupInput(run=8, config=config, plan=plan, requested_by="schedule nightly")
        steps.prepared = case.prepares(scheduled)
    async with steps.worker(client, TASK_QUEUE):
        if case.begin is not None:
            run = await case.begin(client, config, plan)
        else:
            run = await start(client, TASK_QUEUE, config, plan)
        if case.hold is not None:
            await eventually(case.hold.entered.is_set)
        if case.meanwhile is not None:
            await case.meanwhile(run)
        handle = await case.kept(run)
        if isinstance(case.hold, Held):
            case.hold.release.set()
        with suppress(WorkflowFailureError):
            await handle.result()
        await run.ended()
        if case.hold is not None:
            case.hold.release.set()
    history = await handle.fetch_history()
    events = json.loads(history.to_json(), object_hook=without_paths)["events"]
    return '{"events": [\n' + ",\n".join(json.dumps(event, sort_keys=True) for event in events) + "\n]}\n"


def without_paths(part: dict[str, object]) -> dict[str, object]:
    """Leave out what names the folders of the machine that recorded."""
    return {key: value for key, value in part.items() if key != "stackTrace"}


async def main(names: list[str]) -> None:
    """Record cases on a server of their own: all, and then remove the files of those that are no more."""
    logging.disable(logging.WARNING)  # the failures are wanted
    FOLDER.mkdir(exist_ok=True)
    async with await start_temporal(
        data_converter=pydantic_data_converter, identity="recorder"
    ) as environment:
        settings.TEMPORAL_ADDRESS = environment.client.service_client.config.target_host
        wanted = {name: case for name, case in cases().items() if not names or name in names}
        recorded = {name: await record(environment.client, name, case) for name, case in wanted.items()}
    for path in () if names else FOLDER.glob("*.json"):
        path.unlink()
    for name, history in recorded.items():
        (FOLDER / f"{name}.json").write_text(history)
        print(f"{name}: {len(history) // 1024} kB")
    # A process in which a worker ran may crash while the interpreter exits (sdk-python issue 300).
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
