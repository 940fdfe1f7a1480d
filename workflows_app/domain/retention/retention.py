"""Which backups a policy no longer keeps (fossul-behaviour.md §7.4)."""

from collections.abc import Collection, Sequence

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Backup
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules, kept, newest_first


def expired(
    backups: Sequence[Backup],
    *,
    policy: str,
    keep: int,
    made: str,
    rules: KeepRules = NO_RULES,
    held: Collection[str] = (),
) -> tuple[Backup, ...]:
    """Answer which of ``backups`` are to be deleted so that ``policy`` keeps what it promises.

    That is its ``keep`` newest ones, and what ``rules`` keep beside them (``keep_rules.kept``). The newest
    comes first, which is the order in which Fossul deletes. Never among them are a backup of another
    policy, the newest of this one, one whose name is in ``held``, and the one named ``made``, the run's own:
    it is spared even when a clock that was set back makes it look old, and is then kept beside the others.

    Raises ConfigInvalid for ``keep`` below 1, the number of an unknown policy (-1) included, where
    Fossul would delete every backup.
    """
    if keep < 1:
        raise ConfigInvalid(
            "retentionNumber",
            f"{keep} is not how many backups of policy {policy!r} to keep, and nothing was deleted: give the "
            "policy a whole number from 1",
        )
    own = [backup for backup in backups if backup.policy == policy]
    stay = kept(own, keep, rules)
    return tuple(b for b in newest_first(own) if b.name not in stay and b.name != made and b.name not in held)
