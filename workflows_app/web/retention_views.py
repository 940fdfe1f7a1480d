"""What the page of a policy's retention shows: each backup's fate under two retentions, and what is left."""

from collections import Counter
from dataclasses import dataclass

from workflows_app.domain.results import Backup
from workflows_app.domain.retention_preview import Fate, Preview
from workflows_app.services.retention import Comparison

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


def _months(present: Preview, proposed: Preview) -> tuple[MonthRow, ...]:
    counts = [Counter[str](), Counter[str]()]
    for count, one in zip(counts, (present, proposed), strict=True):
        for day, number in one.days:
            count[f"{day:%Y-%m}"] += number
    months = sorted(counts[0].keys() | counts[1].keys(), reverse=True)
    return tuple(MonthRow(month, counts[0][month], counts[1][month]) for month in months)
