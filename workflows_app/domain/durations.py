"""Durations as people write them (``90s``, ``10m``, ``1h30m``) and read them (``1 h 30 m``)."""

import re

# At most nine digits: more than any bound, and never more than Python converts.
_DURATION = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
MINUTE, HOUR, DAY = 60, 3600, 86_400
_SECONDS = (DAY, HOUR, MINUTE, 1)


def parse_duration(text: str) -> float:
    """Answer the seconds that ``text`` says: whole days, hours, minutes and seconds, in that order.

    Raises ValueError for anything else.
    """
    parts = _DURATION.fullmatch(text)
    if not text or parts is None:
        raise ValueError(f"{text!r} is not a duration")
    return float(sum(int(part or 0) * unit for part, unit in zip(parts.groups(), _SECONDS, strict=True)))


def duration_text(seconds: int) -> str:
    """Answer whole, positive seconds as the shortest text that ``parse_duration`` reads back."""
    text = ""
    for unit, letter in zip(_SECONDS, "dhms", strict=True):
        count, seconds = divmod(seconds, unit)
        text += f"{count}{letter}" if count else ""
    return text


def in_words(seconds: float, *, zeros: bool = False) -> str:
    """Answer ``3.2 s``, ``42 s``, ``1 m 12 s``, ``2 h 5 m`` or ``3 d 4 h``, for people to read.

    A smaller unit of zero is left out (``4 h``), unless ``zeros`` keeps it (``4 h 0 m``) for a clock that
    should not change its width.
    """
    seconds = max(0.0, seconds)
    if seconds < 9.95 and (zeros or seconds != round(seconds)):
        return "< 0.1 s" if seconds < 0.05 else f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, small, smaller in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "m"),
        (MINUTE, "m", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit} {rest} {smaller}" if rest or zeros else f"{whole // size} {unit}"
    return f"{whole} s"
