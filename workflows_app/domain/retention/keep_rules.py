"""Which backups are kept, and why: the newest ones, and the newest of each hour, day, week, month or year."""

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Backup
from workflows_app.domain.wire import WireModel

CAPABILITY = "keepRules"
"""What a plugin whose retention obeys keep rules declares (``plugins.base.KEEP_RULES``)."""

MOST = 10_000
"""The largest number that a rule may have."""

_LAST_EPOCH = 253_402_214_399  # the end of the last day but one of the year 9999, beyond which dates end


class Period(StrEnum):
    """The spans of time that a rule may count, the shortest first, named as the keys of ``KeepRules``."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


class KeepRules(WireModel):
    """Of how many of the last hours, days, weeks, months and years the newest backup is kept.

    Only those count in which there is a backup: a pause makes nothing older. ``zone`` is the time zone in
    which days begin, by its IANA name; empty is UTC. An addition to Fossul's configuration.
    """

    omit_empty = frozenset({"hourly", "daily", "weekly", "monthly", "yearly", "zone"})

    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    zone: str = ""

    def __bool__(self) -> bool:
        """Whether any rule keeps anything."""
        return any(self.number(period) for period in Period)

    def number(self, period: Period) -> int:
        """How many spans of that kind are kept, 0 for none."""
        number: int = getattr(self, period.value)
        return number

    @property
    def words(self) -> str:
        """The rules as a page says them: ``7 daily, 4 weekly``; empty without any."""
        return ", ".join(f"{self.number(p)} {p.value}" for p in Period if self.number(p))


NO_RULES = KeepRules()


def parse_rules(given: Mapping[str, str]) -> KeepRules:
    """Read rules as a form sends them; what is missing or empty is no rule.

    Raises ConfigInvalid naming the period, for anything but a whole number from 0 to ``MOST``, or ``zone``.
    """
    numbers = {}
    for period in Period:
        text = given.get(period.value, "").strip() or "0"
        if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > MOST:
            raise ConfigInvalid(period.value, f"{text!r} is not a whole number from 0 to {MOST}")
        numbers[period.value] = int(text)
    zone = given.get("zone", "").strip()
    try:
        _zone(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigInvalid(
            "zone",
            f"{zone!r} is no time zone: give a name such as 'Europe/Berlin', or leave it empty for UTC",
        ) from None
    return KeepRules(**numbers, zone="" if zone == "UTC" else zone)


def newest_first(backups: Iterable[Backup]) -> list[Backup]:
    """Sort by time, then run number, then name.

    Run numbers are decimal text without leading zeros, so that the longer one is the greater.
    """
    return sorted(backups, key=lambda b: (b.epoch, len(b.workflow_id), b.workflow_id, b.name), reverse=True)


def kept(backups: Sequence[Backup], keep: int, rules: KeepRules = NO_RULES) -> dict[str, tuple[str, ...]]:
    """Answer the names of the backups of one policy that stay, each with why, in words.

    The ``keep`` newest stay, and of each of the last spans that ``rules`` count the newest. Which backups
    stay depends on the backups alone, not on the time at which that is asked. Raises ConfigInvalid for
    ``keep`` below 1: the newest always stays.
    """
    if keep < 1:
        raise ConfigInvalid("keep", f"{keep} is not how many backups to keep: give a whole number from 1")
    ordered = newest_first(backups)
    newest = "the newest" if keep == 1 else f"one of the {keep} newest"
    reasons: dict[str, list[str]] = {backup.name: [newest] for backup in ordered[:keep]}
    zone = _zone(rules.zone)
    counted = [(period, rules.number(period)) for period in Period if rules.number(period)]
    moments = [moment_of(backup.epoch, zone) for backup in ordered] if counted else []
    for period, number in counted:
        # Told apart by what is quick to make: a preview looks at many thousands, again and again.
        spans: set[Hashable] = set()
        span_of, words_of = _SPANS[period]
        for backup, moment in zip(ordered, moments, strict=True):
            span = span_of(moment)
            if span in spans:
                continue
            if len(spans) == number:
                break
            spans.add(span)
            reasons.setdefault(backup.name, []).append(f"newest of {words_of(moment)}")
    return {name: tuple(why) for name, why in reasons.items()}


def moment_of(epoch: int, zone: tzinfo = UTC) -> datetime:
    """A backup's epoch on the clocks of ``zone``; for one beyond all calendars their last."""
    return datetime.fromtimestamp(min(max(epoch, 86_400), _LAST_EPOCH), zone)


def _week(moment: datetime) -> str:
    year, week, _ = moment.isocalendar()
    return f"week {week} of {year}"


_SPANS: Mapping[Period, tuple[Callable[[datetime], Hashable], Callable[[datetime], str]]] = {
    # With its offset: the hour that a clock shows twice is two.
    Period.HOURLY: (
        lambda moment: (moment.toordinal(), moment.hour, moment.utcoffset()),
        lambda moment: f"{moment:%Y-%m-%d %H}:00 {moment:%z}",
    ),
    Period.DAILY: (datetime.toordinal, lambda moment: f"{moment:%Y-%m-%d}"),
    Period.WEEKLY: (lambda moment: moment.toordinal() - moment.weekday(), _week),
    Period.MONTHLY: (lambda moment: (moment.year, moment.month), lambda moment: f"{moment:%Y-%m}"),
    Period.YEARLY: (lambda moment: moment.year, lambda moment: f"the year {moment:%Y}"),
}
"""In which span of a period a moment is, and what that is called."""


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return ZoneInfo(name) if name not in ("", "UTC") else UTC
