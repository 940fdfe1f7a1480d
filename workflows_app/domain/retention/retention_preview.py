"""What a retention would delete of the backups that there are: now, and while the next ones come."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Backup
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules, kept, moment_of, newest_first
from workflows_app.domain.retention.retention import expired

DAYS = 90
"""How far a preview looks ahead."""

USUAL_OF = 30
"""The rhythm is that of so many last backups."""

SHORTEST_RHYTHM = 900
"""A rhythm is taken for at least so many seconds: what is closer together is one occasion."""

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Retaining:
    """What a policy keeps: its ``keep`` newest backups, and what ``rules`` keep beside them."""

    keep: int
    rules: KeepRules = NO_RULES

    def check(self) -> None:
        """Raise ConfigInvalid for a retention that leaves nothing."""
        if self.keep < 1:
            raise ConfigInvalid(
                "keep",
                f"{self.keep} would leave no backup: give a whole number from 1, so that the newest stays",
            )


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one backup that there is.

    ``reasons`` say why it stays now, none when it goes now. ``goes`` is the day on which it is deleted if
    backups come as usual, None when it is still there at the end. What is ``held`` stays in any case.
    """

    backup: Backup
    reasons: tuple[str, ...]
    goes: date | None
    held: bool

    @property
    def goes_now(self) -> bool:
        """Whether the retention would delete it if it ran now."""
        return not self.reasons and not self.held


@dataclass(frozen=True, slots=True)
class Preview:
    """What a retention does to the backups of one policy, the newest first.

    ``every`` is the rhythm in seconds that was assumed, None where one backup or none tells of no rhythm.
    ``days`` are those from which there is a backup at the end of ``DAYS``, each with how many; ``left`` is
    how many that are in all.
    """

    fates: tuple[Fate, ...]
    every: float | None
    end: date
    days: tuple[tuple[date, int], ...]

    @property
    def left(self) -> int:
        """How many backups there are at the end."""
        return sum(count for _, count in self.days)

    @property
    def going_now(self) -> tuple[str, ...]:
        """The names of the backups that go now."""
        return tuple(fate.backup.name for fate in self.fates if fate.goes_now)


def preview(
    backups: Sequence[Backup], *, policy: str, retaining: Retaining, held: Collection[str], now: datetime
) -> Preview:
    """Answer what ``retaining`` does to the backups of ``policy``, if the next ones come as they came.

    What goes now is what the retention would delete if it ran now, without a new backup:
    ``retention.expired`` decides that, and what becomes of the rest as well. Raises ConfigInvalid for a
    retention that leaves nothing.
    """
    retaining.check()
    own = newest_first(backup for backup in backups if backup.policy == policy)
    every = rhythm(own)
    reasons = kept(own, retaining.keep, retaining.rules)
    there, gone = _retained(own, policy, retaining, held)
    goes = dict.fromkeys(gone, now.date())
    coming = _coming(own[0], policy, every, now) if own and every else []
    # Once a day is as good as after each backup: what stays depends on the backups alone (``kept``).
    for day in range(1, DAYS + 1):
        end = now.timestamp() + day * _DAY
        there += [backup for backup in coming if end - _DAY < backup.epoch <= end]
        there, gone = _retained(there, policy, retaining, held)
        goes |= dict.fromkeys(gone, (now + timedelta(days=day)).date())
    return Preview(
        fates=tuple(Fate(b, reasons.get(b.name, ()), goes.get(b.name), held=b.name in held) for b in own),
        every=every,
        end=(now + timedelta(days=DAYS)).date(),
        days=_by_day(there),
    )


def rhythm(newest_first: Sequence[Backup]) -> float | None:
    """How many seconds usually lie between two backups; None where fewer than two tell of none."""
    last = newest_first[:USUAL_OF]
    gaps = [newer.epoch - older.epoch for newer, older in pairwise(last)]
    return max(float(median(gaps)), SHORTEST_RHYTHM) if gaps else None


def _coming(newest: Backup, policy: str, every: float, now: datetime) -> list[Backup]:
    """The backups that come in the next days: the first one when it is due, or now where it is overdue."""
    start, end = now.timestamp(), now.timestamp() + DAYS * _DAY
    first = min(max(newest.epoch + every, start + 1), start + every)
    count = int((end - first) // every) + 1 if first <= end else 0
    epochs = (int(first + number * every) for number in range(count))
    return [Backup(name=f"to come {n}", policy=policy, epoch=e) for n, e in enumerate(epochs)]


def _retained(
    backups: Sequence[Backup], policy: str, retaining: Retaining, held: Collection[str]
) -> tuple[list[Backup], set[str]]:
    """What is left after a retention, and the names of what goes."""
    keep, rules = retaining.keep, retaining.rules
    surplus = expired(backups, policy=policy, keep=keep, made="", rules=rules, held=held)
    gone = {backup.name for backup in surplus}
    return [backup for backup in backups if backup.name not in gone], gone


def _by_day(backups: Sequence[Backup]) -> tuple[tuple[date, int], ...]:
    counts: dict[date, int] = {}
    for backup in backups:
        day = moment_of(backup.epoch, UTC).date()
        counts[day] = counts.get(day, 0) + 1
    return tuple(sorted(counts.items(), reverse=True))
