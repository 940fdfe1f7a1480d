"""Which backups a policy no longer keeps (fossul-behaviour.md §7.4)."""

from collections.abc import Sequence

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Backup


def expired(backups: Sequence[Backup], *, policy: str, keep: int, made: str) -> tuple[Backup, ...]:
    """Answer which of ``backups`` are to be deleted so that ``policy`` keeps its ``keep`` newest ones.

    The newest comes first, which is the order in which Fossul deletes. Never among them are a backup of
    another policy, the newest of this one, and the one named ``made``, the run's own: it is spared even
    when a clock that was set back makes it look old, and is then kept beside the ``keep`` newest.

    Raises ConfigInvalid for ``keep`` below 1, the number of an unknown policy (-1) included, where
    Fossul would delete every backup.
    """
    if keep < 1:
        raise ConfigInvalid(
            "retentionNumber",
            f"{keep} is not how many backups of policy {policy!r} to keep, and nothing was deleted: give the "
            "policy a whole number from 1",
        )
    newest_first = sorted((b for b in backups if b.policy == policy), key=_age, reverse=True)
    return tuple(backup for backup in newest_first[keep:] if backup.name != made)


def _age(backup: Backup) -> tuple[int, int, str, str]:
    """What backups are sorted by, the oldest first: time, then run number, then name.

    Run numbers are decimal text without leading zeros, so that the longer one is the greater.
    """
    return backup.epoch, len(backup.workflow_id), backup.workflow_id, backup.name
