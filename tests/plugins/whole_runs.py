"""Runs of the product's own worker, waited for to their end."""

import asyncio
from pathlib import Path

from tests.factories import OPERATOR
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, RunMessage
from workflows_app.services.points import restores
from workflows_app.services.runs import runs, starts

SECONDS = 60


async def ended(number: int) -> runs.RunDetail:
    return await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), SECONDS)


async def run_backup(config: BackupConfig) -> runs.RunDetail:
    """A backup that has ended, well or not."""
    return await ended(await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily"))


async def back_up(config: BackupConfig) -> str:
    """The name of a good backup."""
    run = await run_backup(config)
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    return run.progress.backup_name


async def restore(config: BackupConfig, name: str, target: str = "") -> runs.RunDetail:
    """A restore that has ended, well or not."""
    request = RestoreRequest(target=target)
    return await ended(
        await restores.start_restore(OPERATOR, config.profile.name, config.name, name, request, config.name)
    )


async def said(number: int) -> list[str]:
    """What a run said, in the order of its steps."""
    return [line.text async for line in RunMessage.objects.filter(run=number).order_by("step", "seq")]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
