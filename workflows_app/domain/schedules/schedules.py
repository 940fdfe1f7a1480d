"""When a schedule is due, and what it does then: checked values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from workflows_app.domain import naming
from workflows_app.domain.config import WhenBusy, check_name
from workflows_app.domain.durations import DAY, MINUTE, in_words, parse_duration
from workflows_app.domain.errors import ConfigInvalid, NotFound
from workflows_app.domain.schedules.cron import Cron, parse_cron
from workflows_app.domain.schedules.due_times import due_times, last_due_times

LONGEST_JITTER = DAY
SHORTEST_CATCH_UP, LONGEST_CATCH_UP = MINUTE, 30 * DAY
NEXT_TIMES = 10
DEFAULT_CATCH_UP = "1h"

_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class ScheduleKey:
    """Which schedule: it belongs to a policy of a configuration, and has a name of its own there."""

    profile: str
    config: str
    policy: str
    name: str

    @property
    def id(self) -> str:
        """Its id in Temporal."""
        return naming.schedule_id(self.profile, self.config, self.policy, self.name)

    def __str__(self) -> str:
        return f"{self.profile}/{self.config}/{self.policy}/{self.name}"


class Obstacle(StrEnum):
    """Why a schedule that is due starts no backup.

    ``DISABLED``: the configuration, or its profile, is, and what is due is skipped. ``NO_POLICY``: there is
    no such policy (any more), and what is due fails.
    """

    DISABLED = "DISABLED"
    NO_POLICY = "NO_POLICY"


@dataclass(frozen=True, slots=True)
class Timing:
    """When it is due and how that is taken.

    ``zone`` is the time zone of the cron expression. A run begins up to ``jitter_seconds`` after it is due,
    and at most ``catch_up_seconds`` late. ``when_busy`` is what is done while the lock is held; None: as the
    policy says.
    """

    cron: Cron
    zone: ZoneInfo
    jitter_seconds: int = 0
    catch_up_seconds: int = 3600
    when_busy: WhenBusy | None = None

    def due_after(self, moment: datetime) -> Iterator[datetime]:
        """The moments, in UTC, at which it is due after ``moment``, without jitter."""
        return due_times(self.cron, self.zone, moment)

    def last_due(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Those of ``due_after(since)`` up to ``until``, the last one first."""
        return last_due_times(self.cron, self.zone, since, until)

    def next_times(self, moment: datetime, count: int = NEXT_TIMES) -> tuple[datetime, ...]:
        """The next ``count`` of ``due_after``."""
        return tuple(islice(self.due_after(moment), count))


def parse_key(schedule_id: str) -> ScheduleKey | None:
    """Answer the key of a schedule of ours, None for the id of anyone else's."""
    if not schedule_id.startswith(naming.SCHEDULE_PREFIX):
        return None
    parts = schedule_id.removeprefix(naming.SCHEDULE_PREFIX).split("/")
    return ScheduleKey(*parts) if len(parts) == 4 and all(parts) else None


def check_key(key: ScheduleKey) -> None:
    """Raise ConfigInvalid for a name that is none."""
    check_name("name", key.name)


def parse_timing(
    cron: str, zone: str, jitter: str, catch_up: str, when_busy: str, *, now: datetime
) -> Timing:
    """Answer what a person wrote.

    A time zone before the cron expression (``CRON_TZ=``) takes the place of ``zone``. ``jitter`` may be
    empty.
    Raises ConfigInvalid naming the field, also for an expression that is never due after ``now``.
    """
    parsed = parse_cron(cron)
    timing = Timing(
        cron=replace(parsed, zone=""),
        zone=find_zone(parsed.zone or zone.strip()),
        jitter_seconds=_seconds("jitter", jitter or "0s", 0, LONGEST_JITTER),
        catch_up_seconds=_seconds("catch_up", catch_up, SHORTEST_CATCH_UP, LONGEST_CATCH_UP),
        when_busy=_when_busy(when_busy),
    )
    if not timing.next_times(now, 1):
        raise ConfigInvalid("cron", "no day fits it, so it would never be due")
    return timing


def parse_moment(field: str, text: str, zone: ZoneInfo) -> datetime:
    """Answer a moment that was written as ``2026-10-03T03:00``, by the clocks of ``zone``.

    Raises ConfigInvalid naming ``field``.
    """
    try:
        written = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigInvalid(field, f"{text!r} is no moment: say it like 2026-10-03T03:00") from None
    return written if written.tzinfo else written.replace(tzinfo=zone)


def find_zone(name: str) -> ZoneInfo:
    """Answer a time zone by its name in the IANA database. Raises ConfigInvalid for ``zone``."""
    wrong = ConfigInvalid(
        "zone", f"provided bad location {name!r}: name a time zone like Europe/Berlin or UTC"
    )
    if not _ZONE.fullmatch(name):
        raise wrong
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise wrong from None


def _seconds(field: str, text: str, least: int, most: int) -> int:
    try:
        seconds = int(parse_duration(text.strip()))
    except ValueError:
        raise ConfigInvalid(field, f"{text!r} is not a duration: say it like 10m, 1h30m or 2d") from None
    if not least <= seconds <= most:
        raise ConfigInvalid(field, f"it must be from {in_words(least)} to {in_words(most)}")
    return seconds


def _when_busy(text: str) -> WhenBusy | None:
    if not text:
        return None
    try:
        return WhenBusy(text)
    except ValueError:
        raise ConfigInvalid("when_busy", f"{text!r} is neither refuse nor queue") from None


def unknown(key: ScheduleKey) -> NotFound:
    """The error for a schedule that is not there, or is not ours."""
    return NotFound(
        f"There is no schedule {key.name!r} of policy {key.policy!r} of {key.profile}/{key.config}."
    )
