"""Restores: which backups exist, and starting the restore of one."""

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from asgiref.sync import sync_to_async

from workflows_app.contracts.runs import RestoreInput
from workflows_app.domain.errors import (
    ConfigInvalid,
    FossulError,
    NotFound,
    NotNow,
    PlanRefused,
    RunAlreadyActive,
)
from workflows_app.domain.plans.plan_rules import plan_problems
from workflows_app.domain.plans.plans import restore_plan
from workflows_app.domain.restore_points import Ability
from workflows_app.domain.results import Backup
from workflows_app.domain.retention.keep_rules import moment_of
from workflows_app.domain.runs.restores import RestoreRequest, chosen_files
from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.points import questions
from workflows_app.services.runs.starts import launch, new_run, note_start
from workflows_app.workflows.restore import RestoreWorkflow


@dataclass(frozen=True, slots=True)
class RestorePoint:
    """A backup that exists now. ``size`` is in bytes, None where the plugin does not tell it in bytes.

    ``by_file`` says that single files of it can be restored.
    """

    backup: Backup
    made: datetime
    size: int | None
    sources: tuple[str, ...]
    by_file: bool = False


async def list_restore_points(actor: Actor, profile: str, config: str) -> tuple[RestorePoint, ...]:
    """Answer the backups that exist now, the newest first: asked of the storage plugin, on a worker.

    Raises NotAllowed; NotFound; FossulError when they cannot be read or no worker answers in time;
    TemporalUnavailable.
    """
    actor.require(Right.VIEW)
    found = (await sync_to_async(catalog.get_config)(actor, profile, config)).config
    if not found.storage_plugin:
        return ()
    backups = await questions.which_backups(found)
    if backups.result.code:
        raise FossulError(f"The restore points cannot be read: {backups.result.reason}")
    by_file = Ability.FILES.value in backups.abilities
    points = [_point(backup, by_file=by_file) for backup in backups.backup]
    return tuple(sorted(points, key=lambda point: (point.made, point.backup.name), reverse=True))


async def get_restore_point(actor: Actor, profile: str, config: str, name: str) -> RestorePoint:
    """Answer the restore point with exactly that name. Raises as ``list_restore_points``, NotFound."""
    for point in await list_restore_points(actor, profile, config):
        if point.backup.name == name:
            return point
    raise NotFound(f"{profile}/{config} has no restore point {name!r} (any more).")


async def start_restore(
    actor: Actor, profile: str, config: str, name: str, request: RestoreRequest, confirmation: str
) -> int:
    """Start restoring the restore point ``name`` and answer the run's number.

    ``confirmation`` must be the configuration's name, unless it is a dry run. Raises NotAllowed;
    NotFound; ConfigInvalid for a wrong confirmation, a target that is no absolute path, and files that are
    none of a backup or too many; NotNow for files where the storage plugin can restore everything only;
    FossulError when the restore points cannot be read; PlanRefused for a safety backup of a configuration
    that makes none; RunAlreadyActive; TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    if request.target and not PurePosixPath(request.target).is_absolute():
        raise ConfigInvalid("target", f"{request.target!r} is no absolute path")
    request = request.model_copy(update={"files": chosen_files(request.files)})
    if not request.dry_run and confirmation != config:
        raise ConfigInvalid("confirmation", f"type {config!r} to confirm that its data may be overwritten")
    detail = await sync_to_async(catalog.get_config)(actor, profile, config)
    found = detail.config
    point = await get_restore_point(actor, profile, config, name)
    if request.files and not point.by_file:
        raise NotNow(
            f"The storage plugin {found.storage_plugin!r} cannot restore single files of a backup. Restore "
            "everything, to a folder of its own, and take them from there."
        )
    backup = point.backup
    chosen = bool(request.files)
    plan = restore_plan(found, dry_run=request.dry_run, safety=request.safety, chosen=chosen)
    if problems := plan_problems(plan):
        raise PlanRefused(problems)
    run = await new_run(actor, "restore", found, backup.policy, detail.version)
    given = found.for_restore(run.pk, backup, int(time.time()))
    restore = RestoreInput(
        run=run.pk, config=given, plan=plan, requested_by=run.requested_by, request=request
    )
    try:
        await launch(run, RestoreWorkflow.run, restore)
    except RunAlreadyActive:
        await run.adelete()
        raise
    what = f"{len(request.files)} chosen files or folders of " if chosen else ""
    await note_start(actor, run, f"{'dry run of ' if request.dry_run else ''}{what}{backup.name}")
    return run.pk


def _point(backup: Backup, *, by_file: bool) -> RestorePoint:
    return RestorePoint(
        by_file=by_file,
        backup=backup,
        made=moment_of(backup.epoch),
        size=backup.size,
        sources=tuple(content.source for content in backup.contents),
    )
