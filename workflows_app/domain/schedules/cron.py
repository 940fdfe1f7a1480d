"""Fossul's cron syntax, that of robfig/cron v3: five fields, and descriptors (fossul-behaviour.md §5)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from workflows_app.domain.errors import ConfigInvalid

LONGEST_TEXT = 150
SHORTEST_EVERY, LONGEST_EVERY = 60, 366 * 86_400

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = "@every "
_ZONE = re.compile(r"(?:CRON_TZ|TZ)=(\S*)(?:\s+(.*))?", re.DOTALL)
_NUMBER = re.compile(r"\+?[0-9]{1,9}", re.ASCII)
_GO_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:h|m|s))+", re.ASCII)
_GO_PART = re.compile(r"([0-9.]+)(h|m|s)")
_GO_UNITS = {"h": 3600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Calendar:
    """The minutes of a wall clock at which all five fields match. Sunday is 0; values are sorted."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cron:
    """When something is due: at the minutes of any of ``calendars``, or every ``every_seconds``.

    ``text`` is what was written, less a time zone before it, which is ``zone`` (empty: none was written).
    An interval is counted from the beginning of 1970 in UTC, as Temporal does it.
    """

    text: str
    zone: str
    calendars: tuple[Calendar, ...] = ()
    every_seconds: int = 0


class _Bounds(NamedTuple):
    least: int
    most: int
    names: Mapping[str, int]


_MINUTE = _Bounds(0, 59, {})
_HOUR = _Bounds(0, 23, {})
_DAY = _Bounds(1, 31, {})
_MONTH = _Bounds(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)})
_WEEKDAY = _Bounds(0, 6, {name: number for number, name in enumerate(_WEEKDAYS)})
ALL_DAYS = tuple(range(_DAY.least, _DAY.most + 1))
ALL_MONTHS = tuple(range(_MONTH.least, _MONTH.most + 1))
ALL_WEEKDAYS = tuple(range(_WEEKDAY.least, _WEEKDAY.most + 1))


class _Field(NamedTuple):
    """``star`` says that the field does not restrict anything: a ``*`` or ``?`` without a step."""

    values: tuple[int, ...]
    star: bool


def parse_cron(text: str) -> Cron:
    """Answer what ``text`` means. Raises ConfigInvalid for ``cron``, in Fossul's words where it has some."""
    if len(text) > LONGEST_TEXT:
        raise _refused(f"it is longer than {LONGEST_TEXT} characters")
    spec, zone = text.strip(), ""
    if found := _ZONE.fullmatch(spec):
        zone, spec = found[1], (found[2] or "").strip()
    if not spec:
        raise _refused("empty spec string")
    if spec.startswith(_EVERY):
        return Cron(spec, zone, every_seconds=_every(spec))
    fields = (_DESCRIPTORS.get(spec, "") if spec.startswith("@") else spec).split()
    if not fields:
        raise _refused(f"unrecognized descriptor: {spec}")
    if len(fields) != 5:
        raise _refused(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    return Cron(spec, zone, _calendars(fields))


def _calendars(texts: list[str]) -> tuple[Calendar, ...]:
    bounds = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)
    minute, hour, day, month, weekday = (
        _field(text, bound) for text, bound in zip(texts, bounds, strict=True)
    )
    if day.star or weekday.star:
        return (Calendar(minute.values, hour.values, day.values, month.values, weekday.values),)
    # Where both are restricted either is enough. Temporal's calendars know no such "or" [lab]: there are two.
    return (
        Calendar(minute.values, hour.values, day.values, month.values, ALL_WEEKDAYS),
        Calendar(minute.values, hour.values, ALL_DAYS, month.values, weekday.values),
    )


def _field(text: str, bounds: _Bounds) -> _Field:
    parts = [_range(part, bounds) for part in text.split(",") if part]
    if not parts:
        raise _refused(f"a field has no value: {text}")
    values = {value for part in parts for value in part.values}
    return _Field(tuple(sorted(values)), any(part.star for part in parts))


def _range(text: str, bounds: _Bounds) -> _Field:
    reach, *steps = text.split("/")
    low, *highs = reach.split("-")
    if len(highs) > 1:
        raise _refused(f"too many hyphens: {text}")
    if len(steps) > 1:
        raise _refused(f"too many slashes: {text}")
    step = _number(steps[0], {}, text) if steps else 1
    star = reach in ("*", "?")
    if star:
        least, most = bounds.least, bounds.most
    else:
        least = _number(low, bounds.names, text)
        # "5/15" means "5-59/15".
        alone = bounds.most if steps else least
        most = _number(highs[0], bounds.names, text) if highs else alone
    if least < bounds.least:
        raise _refused(f"beginning of range ({least}) below minimum ({bounds.least}): {text}")
    if most > bounds.most:
        raise _refused(f"end of range ({most}) above maximum ({bounds.most}): {text}")
    if least > most:
        raise _refused(f"beginning of range ({least}) beyond end of range ({most}): {text}")
    if step == 0:
        raise _refused(f"step of range should be a positive number: {text}")
    return _Field(tuple(range(least, most + 1, step)), star and step == 1)


def _number(text: str, names: Mapping[str, int], where: str) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not _NUMBER.fullmatch(text):
        raise _refused(f"failed to parse int from {text or 'nothing'}: {where}")
    return int(text)


def _every(spec: str) -> int:
    duration = spec.removeprefix(_EVERY).strip()
    if not _GO_DURATION.fullmatch(duration):
        raise _refused(f"failed to parse duration {spec}: say it like @every 1h30m, in h, m and s")
    seconds = 0.0
    for number, unit in _GO_PART.findall(duration):
        seconds += float(number) * _GO_UNITS[unit]
    if seconds != int(seconds) or not SHORTEST_EVERY <= seconds <= LONGEST_EVERY:
        raise _refused("@every takes whole seconds, from one minute (1m) to 366 days (8784h)")
    return int(seconds)


def _refused(words: str) -> ConfigInvalid:
    return ConfigInvalid("cron", words)
