"""Deleting one restore point, under its configuration's lock."""

import asyncio
from datetime import UTC, datetime

from asgiref.sync import sync_to_async
from django.conf import settings
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from workflows_app.contracts.points import PointInput
from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.durations import in_words
from workflows_app.domain.errors import ConfigInvalid, FossulError, NotNow, RunAlreadyActive
from workflows_app.domain.restore_points import Ability, Presence
from workflows_app.domain.results import Backup, Result
from workflows_app.models import Removal, Run
from workflows_app.services.configurations import catalog
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.points import holds
from workflows_app.services.points.restore_points import get_point
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.workflows.restore_points import DeleteWorkflow

WAIT_SECONDS = 20.0


async def delete_point(actor: Actor, profile: str, config: str, name: str, confirmation: str) -> bool:
    """Delete a restore point; answer whether that is done. False: a worker is still at it, or none is there.

    One that is missing is forgotten: from then on it is no longer shown. ``confirmation`` must be its name.
    Raises NotAllowed; ConfigInvalid for a wrong confirmation; NotFound; NotNow when it is held or cannot be
    deleted by the storage plugin; RunAlreadyActive while a run is open; FossulError when the plugin refuses;
    TemporalUnavailable.
    """
    actor.require(Right.CONFIGURE)
    if confirmation != name:
        raise ConfigInvalid("confirmation", f"type {name!r} to confirm that it is deleted for good")
    await sync_to_async(holds.refuse_held)([name])
    found, point = await get_point(actor, profile, config, name)
    if point.presence is Presence.MISSING:
        await sync_to_async(_forget)(actor, profile, config, name)
        return True
    if not point.present:
        raise NotNow(f"Whether {name} is in the storage is not known now, so nothing was deleted.")
    if not found.can(Ability.DELETE):
        raise NotNow("This storage plugin cannot delete one backup: delete it by hand, then forget it here.")
    settings_of = (await sync_to_async(catalog.get_config)(actor, profile, config)).config
    result = await _delete(actor, settings_of, point.backup)
    if result is not None and result.code:
        raise FossulError(result.reason)
    await sync_to_async(audit.note)(actor, Action.DELETED_POINT, profile, config, details=name)
    return result is not None


async def _delete(actor: Actor, config: Config, backup: Backup) -> Result | None:
    """Answer how the deletion went, None while it goes on."""
    given = PointInput(config=config.model_copy(update={"backup": backup}), by=actor.name)
    profile, name = config.profile_name, config.config_name
    try:
        async with temporal() as client:
            handle = await client.start_workflow(
                DeleteWorkflow.run,
                given,
                id=naming.run_workflow_id(profile, name),
                task_queue=settings.TEMPORAL_TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                static_summary=f"Delete {backup.name}",
                rpc_timeout=RPC_TIMEOUT,
            )
            async with asyncio.timeout(WAIT_SECONDS):
                return await handle.result()
    except WorkflowAlreadyStartedError:
        raise await _busy(profile, name) from None
    except TimeoutError:
        return None
    except WorkflowFailureError as error:
        cause = getattr(error.cause, "cause", None) or error.cause
        raise FossulError(f"{backup.name} could not be deleted: {cause}") from error


def _forget(actor: Actor, profile: str, config: str, name: str) -> None:
    Removal.objects.update_or_create(
        profile=profile,
        config=config,
        backup=name,
        defaults={"how": f"{actor.name}, when it was missing", "time": datetime.now(UTC)},
    )
    audit.note(actor, Action.FORGOT_POINT, profile, config, details=name)


async def _busy(profile: str, config: str) -> RunAlreadyActive:
    holder = await Run.objects.of(profile, config).open().order_by("pk").afirst()
    if holder is None:
        return RunAlreadyActive(profile, config, None, "or another deletion")
    since = in_words(round((datetime.now(UTC) - holder.started).total_seconds()))
    who = f"a {holder.type}, started by {holder.requested_by} {since} ago"
    return RunAlreadyActive(profile, config, holder.pk, who)
