"""The retention of a policy: previewed on the backups and archives that there are, and changed."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import transaction

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Family
from workflows_app.domain.errors import NotFound
from workflows_app.domain.results import Archive, Backup
from workflows_app.domain.retention.archive_preview import ArchiveRetaining, preview_archives
from workflows_app.domain.retention.keep_rules import CAPABILITY
from workflows_app.domain.retention.retention_preview import Preview, Retaining, preview
from workflows_app.models import Policy
from workflows_app.models.stored_configs import archive_keep_rules_of, keep_rules_of
from workflows_app.services.configurations import catalog, plugins, versions
from workflows_app.services.configurations.catalog import PolicySummary
from workflows_app.services.configurations.config_rows import locked_row
from workflows_app.services.editing.config_edits import LONGEST_REASON, Meanwhile, open_edit
from workflows_app.services.editing.config_edits import meanwhile as config_meanwhile
from workflows_app.services.people import audit
from workflows_app.services.people.audit import Action
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.points import holds, restore_points

One = TypeVar("One", Backup, Archive)


@dataclass(frozen=True, slots=True)
class PolicyRetention:
    """What a policy keeps of its backups, and of its archives."""

    backups: Retaining
    archives: ArchiveRetaining

    @classmethod
    def of(cls, policy: PolicySummary) -> "PolicyRetention":
        """The present one of a policy."""
        return cls(
            Retaining(policy.keep_backups, policy.keep_rules),
            ArchiveRetaining(policy.keep_archives, policy.archive_keep_rules),
        )

    @classmethod
    def stored(cls, policy: Policy) -> "PolicyRetention":
        """The one in a policy's row."""
        return cls(
            Retaining(policy.keep_backups, keep_rules_of(policy)),
            ArchiveRetaining(policy.keep_archives, archive_keep_rules_of(policy)),
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A retention beside the policy's present one, on the same backups or archives at the same moment."""

    present: Preview
    proposed: Preview


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What is known of backups and of archives: a comparison each, or the trouble why there is none."""

    backups: Comparison | None
    trouble: str
    archives: Comparison | None
    archive_trouble: str


def get_policy(actor: Actor, profile: str, config: str, policy: str) -> PolicySummary:
    """Answer a policy. Raises NotAllowed; NotFound, saying which part is unknown."""
    summary = catalog.get_config(actor, profile, config).summary
    for found in summary.policies:
        if found.name == policy:
            return found
    raise NotFound(f"{profile}/{config} has no policy {policy!r}.")


async def compare_retention(
    actor: Actor, profile: str, config: str, policy: str, proposed: PolicyRetention
) -> Comparisons:
    """Answer what ``proposed`` would delete, and what the present retention would; nothing is changed.

    That the storage or the archives cannot be asked is in the answer. Raises NotAllowed; NotFound;
    ConfigInvalid for a retention that leaves no backup.
    """
    actor.require(Right.VIEW)
    proposed.backups.check()
    present = PolicyRetention.of(await sync_to_async(get_policy)(actor, profile, config, policy))
    found = (await sync_to_async(catalog.get_config)(actor, profile, config)).config
    (backups, trouble), (archives, archive_trouble) = await asyncio.gather(
        restore_points.look_for_backups(found), restore_points.look_for_archives(found)
    )
    held = frozenset(await sync_to_async(holds.holds_of)(actor, profile, config))
    now = datetime.now(UTC)

    def of_backups(retaining: Retaining) -> Preview:
        own = _of_this_name(found, backups.backup)
        return preview(own, policy=policy, retaining=retaining, held=held, now=now)

    def of_archives(retaining: ArchiveRetaining) -> Preview:
        own = _of_this_name(found, archives.archive)
        return preview_archives(own, policy=policy, retaining=retaining, held=held, now=now)

    return Comparisons(
        None if trouble else Comparison(of_backups(present.backups), of_backups(proposed.backups)),
        trouble,
        None
        if archive_trouble
        else Comparison(of_archives(present.archives), of_archives(proposed.archives)),
        archive_trouble,
    )


def change_retention(
    actor: Actor, profile: str, config: str, policy: str, opened: int, retention: PolicyRetention
) -> bool:
    """Change what a policy keeps of its backups and archives; the next run under it deletes the rest.

    ``opened`` is the version of the configuration that was looked at. Answers whether anything was different.
    Raises NotAllowed; NotFound; ConfigInvalid for a retention that leaves no backup; Outdated when somebody
    else has changed the configuration since. Nothing is changed then.
    """
    actor.require(Right.CONFIGURE)
    backups, archives = retention.backups, retention.archives
    backups.check()
    with transaction.atomic():
        row = locked_row(profile, config)
        found = row.policies.filter(name=policy).first()
        if found is None:
            raise NotFound(f"{profile}/{config} has no policy {policy!r}.")
        versions.refuse_outdated(row, opened)
        present = PolicyRetention.stored(found)
        if retention == present:
            return False
        words = f"policy {policy} keeps {retention_words(backups)}"
        found.keep_backups, found.keep_rules = backups.keep, backups.rules.wire()
        found.keep_archives, found.archive_keep_rules = archives.keep, archives.rules.wire()
        if archives != present.archives:
            words += f"; of archives {retention_words(archives)}"
        found.save()
        versions.keep(actor, row, words[:LONGEST_REASON])
        audit.note(actor, Action.CHANGED_RETENTION, profile, config, details=words)
    return True


def meanwhile(
    actor: Actor, profile: str, config: str, policy: str, opened: int, retention: PolicyRetention
) -> Meanwhile:
    """Answer what was changed since version ``opened``, and what saving this retention would change now.

    Raises NotAllowed; NotFound.
    """
    now = open_edit(actor, profile, config)
    backups, archives = retention.backups, retention.archives
    policies = tuple(
        replace(
            each,
            keep_backups=backups.keep,
            keep_rules=backups.rules,
            keep_archives=archives.keep,
            archive_keep_rules=archives.rules,
        )
        if each.name == policy
        else each
        for each in now.configuration.policies
    )
    yours = replace(now.configuration, policies=policies)
    return config_meanwhile(actor, profile, config, opened, now.description, yours)


def deaf_plugins(actor: Actor, config: Config) -> frozenset[Family]:
    """The families whose plugin is known not to obey keep rules: its retention is not asked for then.

    Of a plugin of which no worker has told nothing is known. Raises NotAllowed.
    """
    known = plugins.published(actor)
    found = {family: known.find(family, family.plugin(config)) for family in (Family.STORAGE, Family.ARCHIVE)}
    return frozenset(
        family
        for family, plugin in found.items()
        if plugin and all(able.name != CAPABILITY for able in plugin.info.capabilities)
    )


def retention_words(retaining: Retaining | ArchiveRetaining) -> str:
    """A retention in words: ``the 5 newest, 7 daily, 4 weekly``."""
    if isinstance(retaining, ArchiveRetaining):
        if retaining.everything:
            return "all of them"
        retaining = Retaining(retaining.newest, retaining.rules)
    rules = retaining.rules
    newest = "the newest" if retaining.keep == 1 else f"the {retaining.keep} newest"
    zone = f" in {rules.zone}" if rules and rules.zone else ""
    return ", ".join(filter(None, (newest, rules.words))) + zone


def _of_this_name(config: Config, found: Iterable[One]) -> list[One]:
    """The backups or archives of the configuration's ``BackupName``: its retention is its own (§7.4).

    All of them where the name is a reference, which only a worker can resolve.
    """
    base = config.storage_plugin_parameters.get("BackupName") or config.config_name
    if base.startswith(("env:", "file:", "sealed:")):
        return list(found)
    return [one for one in found if one.name == f"{base}-{one.policy}-{one.workflow_id}-{one.timestamp}"]
