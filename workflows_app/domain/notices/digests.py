"""A digest: how everything is, told at set times, also when all is well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workflows_app.domain.durations import in_words
from workflows_app.domain.runs.protection import ProtectionState

LATE_AFTER = timedelta(minutes=15)
MOST_LINES = 500

_WORDS = {
    ProtectionState.PROTECTED: "protected",
    ProtectionState.LAPSED: "NOT PROTECTED as its schedules promise",
    ProtectionState.UNPROMISED: "has restore points, and no schedule",
    ProtectionState.EMPTY: "NO RESTORE POINT is left",
    ProtectionState.NEVER: "was never backed up",
    ProtectionState.UNKNOWN: "not known: nobody could look at its storage",
}
WELL = (ProtectionState.PROTECTED, ProtectionState.UNPROMISED)


@dataclass(frozen=True, slots=True)
class DigestRow:
    """A configuration in a digest. ``protection`` is None where Temporal could not be asked.

    ``last_good`` is when the last backup that completed ended, ``size`` its bytes. ``held`` is how many
    restore points are held.
    """

    profile: str
    config: str
    protection: ProtectionState | None
    last_good: datetime | None
    size: int | None
    held: int = 0
    disabled: bool = False
    incidents: tuple[str, ...] = ()

    @property
    def well(self) -> bool:
        """Whether there is nothing to see to, as far as is known."""
        return not self.incidents and (self.disabled or self.protection in WELL)


@dataclass(frozen=True, slots=True)
class DigestCounts:
    """How many backups of the period ended how."""

    completed: int = 0
    failed: int = 0
    missed: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Digest:
    """How everything was from ``begin`` to ``due``, and is at ``now``."""

    begin: datetime
    due: datetime
    now: datetime
    counts: DigestCounts
    rows: Sequence[DigestRow]

    @property
    def title(self) -> str:
        """The whole of it in a few words."""
        if not self.rows:
            return "Backups: nothing is configured yet"
        to_see = sum(not row.well for row in self.rows)
        if not to_see:
            return f"Backups: all is well ({_configurations(len(self.rows))})"
        return f"Backups: {to_see} of {_configurations(len(self.rows))} to look at"

    @property
    def summary(self) -> str:
        """How many backups ended how, and whether this comes late."""
        counts = self.counts
        words = (
            f"From {_moment(self.begin)} to {_moment(self.due)}: {counts.completed} backups completed, "
            f"{counts.failed} failed, {counts.missed} missed, {counts.skipped} skipped."
        )
        late = self.now - self.due
        if late >= LATE_AFTER:
            words += (
                f" This digest is {in_words(late.total_seconds())} late: no worker was there to send it when"
                " it was due."
            )
        return words

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each configuration, what is to be looked at first."""
        rows = sorted(self.rows, key=lambda row: (row.well, row.profile, row.config))
        lines = [_line(row) for row in rows[:MOST_LINES]]
        if len(rows) > MOST_LINES:
            lines.append(f"… and {len(rows) - MOST_LINES} more")
        return tuple(lines)


def _line(row: DigestRow) -> str:
    state = _WORDS[row.protection] if row.protection else "not known: Temporal did not answer"
    parts = [f"{row.profile}/{row.config}: {'disabled' if row.disabled else state}"]
    parts.append(f"last good backup {_moment(row.last_good)}" if row.last_good else "no good backup")
    if row.size is not None:
        parts.append(f"{row.size / 2**20:,.1f} MiB")
    if row.held:
        parts.append(f"{row.held} held")
    parts += row.incidents
    return "; ".join(parts)


def _configurations(count: int) -> str:
    return f"{count} configuration{'' if count == 1 else 's'}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
