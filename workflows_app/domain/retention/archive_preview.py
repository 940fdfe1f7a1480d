"""What a retention would delete of the archives that there are, as ``retention_preview`` says of backups."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from workflows_app.domain.results import Archive
from workflows_app.domain.retention.archive_retention import as_backup, newest_archives_kept
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules
from workflows_app.domain.retention.retention_preview import Preview, Retaining, preview

_MORE_THAN_THERE_ARE = 2**31


@dataclass(frozen=True, slots=True)
class ArchiveRetaining:
    """What a policy keeps of its archives: its ``keep`` newest, and what ``rules`` keep beside them.

    Without a number (0) rules keep the newest all the same. With neither, all archives are kept: the policy
    has no archive retention (fossul-behaviour.md §7.4, where Fossul would delete all).
    """

    keep: int = 0
    rules: KeepRules = NO_RULES

    @property
    def everything(self) -> bool:
        """Whether all archives are kept."""
        return not self.keep and not self.rules

    @property
    def newest(self) -> int:
        """How many of the newest are kept, where that is not all of them."""
        return newest_archives_kept(self.keep, self.rules)


def preview_archives(
    archives: Sequence[Archive],
    *,
    policy: str,
    retaining: ArchiveRetaining,
    held: Collection[str],
    now: datetime,
) -> Preview:
    """Answer what ``retaining`` does to the archives of ``policy``, in the form that is used for backups.

    Raises as ``retention_preview.preview``.
    """
    keep = _MORE_THAN_THERE_ARE if retaining.everything else retaining.newest
    found = preview(
        [as_backup(archive) for archive in archives],
        policy=policy,
        retaining=Retaining(keep, retaining.rules),
        held=held,
        now=now,
    )
    if not retaining.everything:
        return found
    return replace(found, fates=tuple(replace(fate, reasons=("all are kept",)) for fate in found.fates))
