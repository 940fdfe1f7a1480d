"""What the page of a policy's retention shows: each backup's or archive's fate, and what is left."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Family
from workflows_app.domain.results import Backup
from workflows_app.domain.retention.archive_preview import ArchiveRetaining
from workflows_app.domain.retention.retention_preview import Fate, Preview, Retaining
from workflows_app.services.editing.retention import Comparison, Comparisons, PolicyRetention, retention_words

SHOWN = 200


@dataclass(frozen=True, slots=True)
class FateRow:
    """A backup, and what becomes of it under the present retention and under the proposed one."""

    backup: Backup
    present: Fate
    proposed: Fate

    @property
    def differs(self) -> bool:
        """Whether the two do not say the same."""
        return (self.present.goes, self.present.goes_now) != (self.proposed.goes, self.proposed.goes_now)


@dataclass(frozen=True, slots=True)
class MonthRow:
    """How many backups of one month are left at the end under each retention."""

    month: str
    present: int
    proposed: int


@dataclass(frozen=True, slots=True)
class RetentionView:
    """The comparison of two retentions; ``more`` is how many backups are not in ``rows``."""

    present: Preview
    proposed: Preview
    rows: tuple[FateRow, ...]
    more: int
    months: tuple[MonthRow, ...]

    @property
    def newly_going(self) -> int:
        """How many backups go now that would stay under the present retention."""
        return len(set(self.proposed.going_now) - set(self.present.going_now))


@dataclass(frozen=True, slots=True)
class RetentionPart:
    """What a page shows of backups, or of archives.

    ``noun`` is what they are called, ``words`` and ``wanted`` what is kept now and as proposed. ``view`` is
    None where ``trouble`` says why nothing is known, or where the family has no ``plugin``.
    ``deaf`` says that rules by age are wanted and that the plugin is known not to obey them.
    """

    noun: str
    plugin: str
    words: str
    wanted: str
    view: RetentionView | None
    trouble: str
    deaf: bool

    @property
    def title(self) -> str:
        """What they are called, many and with a capital."""
        return f"{self.noun.capitalize()}s"


def retention_parts(
    found: Comparisons,
    present: PolicyRetention,
    wanted: PolicyRetention,
    config: Config,
    deaf: Collection[Family],
    families: Iterable[Family],
) -> tuple[RetentionPart, ...]:
    """Answer what the page shows for each of ``families``, of storage and archive."""

    def part(family: Family) -> RetentionPart:
        plugin, is_deaf = family.plugin(config), family in deaf
        if family is Family.ARCHIVE:
            kept = (present.archives, wanted.archives)
            return _part("archive", kept, found.archives, found.archive_trouble, plugin, is_deaf)
        return _part(
            "backup", (present.backups, wanted.backups), found.backups, found.trouble, plugin, is_deaf
        )

    return tuple(part(family) for family in families)


def retention_view(comparison: Comparison) -> RetentionView:
    """Answer the comparison as the page shows it."""
    present, proposed = comparison.present, comparison.proposed
    rows = [FateRow(p.backup, p, q) for p, q in zip(present.fates, proposed.fates, strict=True)]
    return RetentionView(
        present=present,
        proposed=proposed,
        rows=tuple(rows[:SHOWN]),
        more=max(0, len(rows) - SHOWN),
        months=_months(present, proposed),
    )


def _part(
    noun: str,
    kept: tuple[Retaining | ArchiveRetaining, Retaining | ArchiveRetaining],
    comparison: Comparison | None,
    trouble: str,
    plugin: str,
    deaf: bool,
) -> RetentionPart:
    present, wanted = kept
    return RetentionPart(
        noun=noun,
        plugin=plugin,
        words=retention_words(present),
        wanted=retention_words(wanted),
        view=retention_view(comparison) if comparison and plugin else None,
        trouble=trouble,
        deaf=deaf and bool(wanted.rules),
    )


def _months(present: Preview, proposed: Preview) -> tuple[MonthRow, ...]:
    counts = [Counter[str](), Counter[str]()]
    for count, one in zip(counts, (present, proposed), strict=True):
        for day, number in one.days:
            count[f"{day:%Y-%m}"] += number
    months = sorted(counts[0].keys() | counts[1].keys(), reverse=True)
    return tuple(MonthRow(month, counts[0][month], counts[1][month]) for month in months)
