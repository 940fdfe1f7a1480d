"""How values are written on a page: times as people say them, sizes, durations, text that hides nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from workflows_app.domain.durations import DAY, HOUR, MINUTE, in_words
from workflows_app.domain.sizes import size_words
from workflows_app.services.logs.messages import LogLine
from workflows_app.web.logs.log_lines import render_lines
from workflows_app.web.words.statuses import Status
from workflows_app.web.words.visible_text import visible

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """Answer ``3.2 s``, ``42 s``, ``1 m 12 s``, ``2 h 5 m`` or ``3 d 4 h``; ``""`` for None."""
    return "" if seconds is None else in_words(seconds, zeros=True)


@register.filter
def span(seconds: float) -> str:
    """Answer a set span of time: as ``duration``, without a smaller unit of zero (``4 h``)."""
    return in_words(seconds)


@register.filter
def sentence(words: object) -> str:
    """Answer words with a full stop at their end, for another sentence to follow."""
    text = str(words).rstrip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


@register.filter("bytes")
def size(count: float | None) -> str:
    """Answer a number of bytes in binary units (``14.4 MiB``); ``""`` for None."""
    return "" if count is None else size_words(count)


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


@register.filter
def minute(moment: datetime | None) -> SafeString | str:
    """Answer a ``<time>`` with date and time to the minute, to the second on hover; else as ``moment``."""
    if moment is None:
        return ""
    return format_html(
        '<time datetime="{}" data-time="minute" title="{}">{}</time>',
        _iso(moment),
        _exact(moment),
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    )


@register.simple_tag
def clock(since: datetime, now: datetime) -> SafeString:
    """Answer the time from ``since`` to ``now``; the page lets it tick on."""
    return format_html(
        '<span class="clock" data-since="{}">{}</span>',
        _iso(since),
        duration((now - since).total_seconds()),
    )


register.filter("visible", visible)


@register.simple_tag
def log_lines(
    number: int, lines: Iterable[LogLine], whole: bool = False, elsewhere: bool = False
) -> SafeString:
    """Answer lines of the log of run ``number`` as list items (``log_lines.render_lines``)."""
    return render_lines(number, lines, whole=bool(whole), elsewhere=elsewhere)


@register.inclusion_tag("workflows_app/_status.html")
def status(status: Status) -> dict[str, object]:
    """Show a status: its shape, its word, its colour."""
    return {"status": status}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _exact(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
