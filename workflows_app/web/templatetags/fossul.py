"""How values are written on a page: times as people say them, sizes, durations, text that hides nothing."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from workflows_app.domain.results import Level
from workflows_app.services.messages import LogLine
from workflows_app.web.presenters import Status

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86_400

# Joiners belong to emoji and to several scripts; they do not reorder or hide anything by themselves.
_HARMLESS = {"\t", "\u200c", "\u200d"}
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Zl", "Zp", "Cs"}
_LEVELS = {level.value: level.name.lower() for level in Level}
_NOT_ASCII_TEXT = re.compile(r"[^\t\x20-\x7e]")


@register.filter
def duration(seconds: float | None) -> str:
    """Answer ``3.2 s``, ``42 s``, ``1 m 12 s``, ``2 h 5 m`` or ``3 d 4 h``; ``""`` for None."""
    if seconds is None:
        return ""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return "< 0.1 s" if seconds < 0.05 else f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} m {whole % MINUTE} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} m"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


@register.filter("bytes")
def size(count: float | None) -> str:
    """Answer a number of bytes in binary units (``14.4 MiB``); ``""`` for None."""
    if count is None:
        return ""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        count /= 1024
        # What rounds to 1024.0 belongs to the next unit.
        if count < 1023.95:
            return f"{count:.1f} {unit}"
    return f"{count / 1024:.1f} PiB"


def ago_words(moment: datetime, now: datetime) -> str:
    """Answer how long ago ``moment`` was at ``now`` (``2 min ago``); its date when that is over a month."""
    seconds = int((now - moment).total_seconds())
    if seconds < 5:
        return "just now"
    if seconds < MINUTE:
        return f"{seconds} s ago"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min ago"
    if seconds < DAY:
        return f"{seconds // HOUR} h ago"
    if seconds < 30 * DAY:
        return f"{seconds // DAY} d ago"
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """Answer a ``<time>`` that says how long ago ``moment`` was, and exactly when on hover."""
    if moment is None:
        return ""
    return format_html(
        '<time datetime="{}" data-time="ago" title="{}">{}</time>',
        _iso(moment),
        _exact(moment),
        ago_words(moment, timezone.now()),
    )


@register.filter
def moment(moment: datetime | None) -> SafeString | str:
    """Answer a ``<time>`` with date and time to the second; the page rewrites it in the viewer's zone."""
    if moment is None:
        return ""
    return format_html('<time datetime="{}" data-time="exact">{}</time>', _iso(moment), _exact(moment))


@register.simple_tag
def clock(since: datetime, now: datetime) -> SafeString:
    """Answer the time from ``since`` to ``now``; the page lets it tick on."""
    return format_html(
        '<span class="clock" data-since="{}">{}</span>',
        _iso(since),
        duration((now - since).total_seconds()),
    )


@register.filter
def visible(text: str) -> str:
    """Answer ``text`` with what would be invisible, or would reorder it, made visible.

    A character without a shape of its own becomes its code (``⟨U+202E⟩``). The text is not marked
    safe: it is escaped like any other.
    """
    if text.isprintable():
        return text
    return _NOT_ASCII_TEXT.sub(_show, text)


def _show(match: re.Match[str]) -> str:
    character = match[0]
    if character in _HARMLESS or unicodedata.category(character) not in _HIDDEN_CATEGORIES:
        return character
    return f"⟨U+{ord(character):04X}⟩"


def level_class(level: str) -> str:
    """Answer the style class of a line's level; every level that Fossul does not know is ``unknown``."""
    return _LEVELS.get(level, "unknown")


@register.simple_tag
def log_lines(lines: Iterable[LogLine]) -> SafeString:
    """Answer lines of a log as list items, each with its address.

    Not a template: a run may say 100,000 lines, and this takes a tenth of the time.
    """
    return SafeString("".join(_log_line(line) for line in lines))


def _log_line(line: LogLine) -> str:
    address = f"step-{line.step}-attempt-{line.attempt}-L{line.seq}"
    time = line.time.astimezone(UTC)
    return (
        f'<li id="{address}" data-seq="{line.seq}"><a href="#{address}">{line.seq}</a>'
        f'<time datetime="{time:%Y-%m-%dT%H:%M:%SZ}">{time:%H:%M:%S}</time>'
        f'<b class="{level_class(line.level)}">{escape(visible(line.level))}</b>'
        f"<bdi>{escape(visible(line.text))}</bdi></li>\n"
    )


@register.inclusion_tag("workflows_app/_status.html")
def status(status: Status) -> dict[str, object]:
    """Show a status: its shape, its word, its colour."""
    return {"status": status}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _exact(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
