"""Fetching an archived backup back to the storage, where it can be restored."""

import time

from asgiref.sync import sync_to_async

from workflows_app.contracts.runs import RestoreInput
from workflows_app.domain.errors import ConfigInvalid, NotFound, RunAlreadyActive
from workflows_app.domain.naming import parse_backup_name
from workflows_app.domain.plans.plans import fetch_plan
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.runs.starts import launch, new_run, note_start
from workflows_app.workflows.restore import RestoreWorkflow


async def start_fetch(actor: Actor, profile: str, config: str, name: str) -> int:
    """Start bringing the archived backup ``name`` back, under the configuration's lock; answer the run.

    Whether there is such an archive the archive plugin says. Raises NotAllowed; NotFound; ConfigInvalid for
    a name that is none of a backup; RunAlreadyActive; TemporalUnavailable.
    """
    actor.require(Right.OPERATE)
    detail = await sync_to_async(catalog.get_config)(actor, profile, config)
    found = detail.config
    if not found.archive_plugin:
        raise NotFound(f"{profile}/{config} has no archive plugin.")
    backup = parse_backup_name(name)
    if backup is None:
        raise ConfigInvalid("archive", f"{name!r} is not the name of a backup")
    run = await new_run(actor, "fetch", found, backup.policy, detail.version)
    given = RestoreInput(
        run=run.pk,
        config=found.for_restore(run.pk, backup, int(time.time()), "fetch"),
        plan=fetch_plan(found),
        requested_by=run.requested_by,
        request=RestoreRequest(),
    )
    try:
        await launch(run, RestoreWorkflow.run, given)
    except RunAlreadyActive:
        await run.adelete()
        raise
    await note_start(actor, run, name)
    return run.pk
