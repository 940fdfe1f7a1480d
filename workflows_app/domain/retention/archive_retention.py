"""Which archives a policy no longer keeps (fossul-behaviour.md §7.4)."""

from collections.abc import Collection, Sequence

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Archive, Backup
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules
from workflows_app.domain.retention.retention import expired


def newest_archives_kept(number: int, rules: KeepRules) -> int:
    """Answer how many of the newest archives a policy keeps that was given ``number`` and ``rules``.

    Rules without a number keep what they keep, and the newest in any case: 1. Without rules it is ``number``.
    """
    return max(number, 1) if rules else number


def expired_archives(
    archives: Sequence[Archive],
    *,
    policy: str,
    keep: int,
    made: str,
    rules: KeepRules = NO_RULES,
    held: Collection[str] = (),
) -> tuple[Archive, ...]:
    """Answer which of ``archives`` are to be deleted, as ``retention.expired`` does for backups.

    The newest comes first. Never among them are an archive of another policy, the newest of this one, one
    whose name is in ``held``, and the one named ``made``, the run's own. Names are unique. Raises
    ConfigInvalid for ``keep`` below 1.
    """
    if keep < 1:
        raise ConfigInvalid(
            "archiveRetentions",
            f"{keep} is not how many archives of policy {policy!r} to keep, and nothing was deleted: give "
            "the policy a whole number from 1",
        )
    by_name = {archive.name: archive for archive in archives}
    backups = [as_backup(archive) for archive in archives]
    surplus = expired(backups, policy=policy, keep=keep, made=made, rules=rules, held=held)
    return tuple(by_name[backup.name] for backup in surplus)


def as_backup(archive: Archive) -> Backup:
    """Answer the backup that an archive is the copy of, as far as the archive tells of it."""
    return Backup(
        name=archive.name,
        timestamp=archive.timestamp,
        epoch=archive.epoch,
        policy=archive.policy,
        workflow_id=archive.workflow_id,
    )
