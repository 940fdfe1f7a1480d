"""The retention of a policy: previewed on the backups that there are, and changed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from asgiref.sync import sync_to_async
from django.db import transaction

from workflows_app.domain.config import Config
from workflows_app.domain.errors import FossulError, NotFound
from workflows_app.domain.results import Backup
from workflows_app.domain.retention_preview import Preview, Retaining, preview
from workflows_app.services import audit, catalog, holds, restores, versions
from workflows_app.services.audit import Action
from workflows_app.services.catalog import PolicySummary
from workflows_app.services.config_rows import locked_row
from workflows_app.services.permissions import Actor, Right


@dataclass(frozen=True, slots=True)
class Comparison:
    """A retention beside the present one of the policy, on the same backups at the same moment."""

    present: Preview
    proposed: Preview


def get_policy(actor: Actor, profile: str, config: str, policy: str) -> PolicySummary:
    """Answer a policy. Raises NotAllowed; NotFound, saying which part is unknown."""
    summary = catalog.get_config(actor, profile, config).summary
    for found in summary.policies:
        if found.name == policy:
            return found
    raise NotFound(f"{profile}/{config} has no policy {policy!r}.")


async def compare_retention(
    actor: Actor, profile: str, config: str, policy: str, proposed: Retaining
) -> Comparison:
    """Answer what ``proposed`` would delete, and what the present retention would; nothing is changed.

    Raises NotAllowed; NotFound; ConfigInvalid for a retention that leaves nothing; FossulError when the
    backups cannot be read; TemporalUnavailable.
    """
    actor.require(Right.VIEW)
    proposed.check()
    row = await sync_to_async(get_policy)(actor, profile, config, policy)
    found = (await sync_to_async(catalog.get_config)(actor, profile, config)).config
    listed = await restores.look_for_backups(found)
    if listed.result.code:
        raise FossulError(f"The restore points cannot be read: {listed.result.reason}")
    held = frozenset(await sync_to_async(holds.holds_of)(actor, profile, config))
    backups = _of_this_name(found, listed.backup)
    now = datetime.now(UTC)
    present = Retaining(row.keep_backups, row.keep_rules)
    return Comparison(
        *(
            preview(backups, policy=policy, retaining=retaining, held=held, now=now)
            for retaining in (present, proposed)
        )
    )


def change_retention(actor: Actor, profile: str, config: str, policy: str, retaining: Retaining) -> None:
    """Change what a policy keeps of its backups; the next run under it deletes the rest.

    Raises NotAllowed; NotFound; ConfigInvalid for a retention that leaves nothing. Nothing is changed then.
    """
    actor.require(Right.CONFIGURE)
    retaining.check()
    words = f"policy {policy} keeps {retention_words(retaining)}"
    with transaction.atomic():
        row = locked_row(profile, config)
        changed = row.policies.filter(name=policy).update(
            keep_backups=retaining.keep, keep_rules=retaining.rules.wire()
        )
        if not changed:
            raise NotFound(f"{profile}/{config} has no policy {policy!r}.")
        versions.keep(actor, row, words)
        audit.note(actor, Action.CHANGED_RETENTION, profile, config, details=words)


def retention_words(retaining: Retaining) -> str:
    """A retention in words: ``the 5 newest, 7 daily, 4 weekly``."""
    rules = retaining.rules
    newest = "the newest" if retaining.keep == 1 else f"the {retaining.keep} newest"
    zone = f" in {rules.zone}" if rules and rules.zone else ""
    return ", ".join(filter(None, (newest, rules.words))) + zone


def _of_this_name(config: Config, backups: tuple[Backup, ...]) -> list[Backup]:
    """The backups of the configuration's ``BackupName``, whose retention is one of its own (§7.4).

    All of them where the name is a reference, which only a worker can resolve.
    """
    base = config.storage_plugin_parameters.get("BackupName") or config.config_name
    if base.startswith(("env:", "file:", "sealed:")):
        return list(backups)
    return [b for b in backups if b.name == f"{base}-{b.policy}-{b.workflow_id}-{b.timestamp}"]
