"""What pages show of trends: the strip of days, durations and sizes, and in words what is not usual."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from django.conf import settings

from workflows_app.domain.durations import in_words
from workflows_app.domain.runs.trends import (
    WORST_FIRST,
    Band,
    Completed,
    ConfigTrend,
    Day,
    Point,
    PolicyTrend,
)
from workflows_app.domain.sizes import size_words
from workflows_app.web.pages.trend_drawings import (
    NO_BACKUP,
    Bar,
    Chart,
    Stroke,
    chart,
    day_path,
    spark_path,
    strip_strokes,
)
from workflows_app.web.words.statuses import RUN_STATUS


@dataclass(frozen=True, slots=True)
class DayView:
    """A day of the strip: its worst backup's kind, what began on it, and the query that lists that.

    ``query`` is empty for a day without a backup.
    """

    day: date
    kind: str
    path: str
    words: str
    query: str


@dataclass(frozen=True, slots=True)
class ChartView:
    """The last completed backups under one policy by ``aspect``; ``words`` tell the last and the usual."""

    aspect: str
    chart: Chart
    words: str


@dataclass(frozen=True, slots=True)
class BackupView:
    """A completed backup in the table; the marks are words about it."""

    backup: Completed
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy's trend; ``marks`` are about the last backup, ``backups`` the newest first."""

    policy: str
    charts: tuple[ChartView, ...]
    marks: tuple[str, ...]
    backups: tuple[BackupView, ...]


@dataclass(frozen=True, slots=True)
class TrendView:
    """The trends of a configuration's page. ``zone`` is whose days they are."""

    days: tuple[DayView, ...]
    summary: str
    zone: str
    policies: tuple[PolicyView, ...]


@dataclass(frozen=True, slots=True)
class Spark:
    """A small chart with the words that say the same; the path is empty when nobody told any value."""

    aspect: str
    path: str
    words: str


@dataclass(frozen=True, slots=True)
class TrendCell:
    """The trends of a configuration in a table: the strip as one drawing, and the current policy's charts.

    ``mark`` says what the last completed backup is than usual (``smaller``, ``slower``), empty for neither.
    """

    strip: tuple[Stroke, ...]
    summary: str
    sparks: tuple[Spark, ...]
    mark: str


@dataclass(frozen=True, slots=True)
class Unusual:
    """The last completed backup of a configuration, which is not as usual: run ``number``, and why."""

    number: int
    finished: datetime
    reasons: tuple[str, ...]


def trend_view(profile: str, config: str, trend: ConfigTrend) -> TrendView:
    """Answer what the page of a configuration shows of its trend."""
    return TrendView(
        days=tuple(_day(profile, config, day) for day in trend.days),
        summary=_summary(trend.days),
        zone=settings.TIME_ZONE,
        policies=tuple(_policy(policy) for policy in trend.policies if policy.history),
    )


def trend_cell(trend: ConfigTrend) -> TrendCell:
    """Answer what a table of configurations shows of a trend."""
    current = trend.current
    newest = current.newest if current else None
    return TrendCell(
        strip=strip_strokes(_kind(day) for day in trend.days),
        summary=_summary(trend.days),
        sparks=_sparks(current, newest) if current and newest else (),
        mark=_short_marks(newest) if newest else "",
    )


def unusual(trend: ConfigTrend) -> Unusual | None:
    """Answer what is not as usual about the last completed backup, None when nothing is known to be."""
    newest = trend.current.newest if trend.current else None
    if newest is None or not (reasons := _marks(newest)):
        return None
    return Unusual(newest.backup.number, newest.backup.finished, reasons)


def _day(profile: str, config: str, day: Day) -> DayView:
    kind = _kind(day)
    told = ", ".join(f"{count} {RUN_STATUS[state].word}" for state, count in day.by_severity)
    query = {"profile": profile, "config": config, "type": "backup", "from": day.day, "to": day.day}
    return DayView(
        day=day.day,
        kind=kind,
        path=day_path(kind),
        words=f"{day.day:%Y-%m-%d}: {told or 'no backup'}",
        query=urlencode(query) if told else "",
    )


def _kind(day: Day) -> str:
    return RUN_STATUS[day.worst].kind if day.worst else NO_BACKUP


def _summary(days: tuple[Day, ...]) -> str:
    """How many days there are of each state, by the worst backup of each."""
    worst = Counter(day.worst for day in days)
    told = [f"{worst[state]} {RUN_STATUS[state].word}" for state in WORST_FIRST if state in worst]
    told += [f"{worst[None]} without a backup"] if None in worst else []
    return f"The last {len(days)} days, each by its worst backup: {', '.join(told)}"


def _policy(trend: PolicyTrend) -> PolicyView:
    points = trend.points
    newest = points[-1]
    return PolicyView(
        policy=trend.policy,
        charts=(
            ChartView("Duration", _duration_chart(points), _duration_words(newest)),
            ChartView("Size", _size_chart(points), _size_words(newest)),
        ),
        marks=_marks(newest),
        backups=tuple(BackupView(point.backup, _marks(point)) for point in reversed(points)),
    )


def _duration_chart(points: tuple[Point, ...]) -> Chart:
    bars = [
        Bar(
            point.backup.seconds,
            point.slower,
            f"Run {point.backup.number}: {_slower(point) or in_words(point.backup.seconds)}",
        )
        for point in points
    ]
    return chart(bars, _edges(points[-1].usual_seconds))


def _size_chart(points: tuple[Point, ...]) -> Chart:
    bars = [
        Bar(
            point.backup.size,
            point.smaller,
            f"Run {point.backup.number}: {_smaller(point) or _size(point.backup.size)}",
        )
        for point in points
    ]
    return chart(bars, _edges(points[-1].usual_size))


def _edges(usual: Band | None) -> tuple[float, float] | None:
    return (usual.low, usual.high) if usual else None


def _sparks(trend: PolicyTrend, newest: Point) -> tuple[Spark, ...]:
    backups = trend.recent
    head = f"of the last {len(backups)} backups under {trend.policy}"
    return (
        Spark("Size", spark_path([b.size for b in backups]), f"Size {head}: {_size_words(newest)}"),
        Spark(
            "Time", spark_path([b.seconds for b in backups]), f"Duration {head}: {_duration_words(newest)}"
        ),
    )


def _duration_words(newest: Point) -> str:
    return f"last {in_words(newest.backup.seconds)}, {_usual(newest.usual_seconds, in_words)}"


def _size_words(newest: Point) -> str:
    size = newest.backup.size
    last = "that of the last was not told" if size is None else f"last {size_words(size)}"
    return f"{last}, {_usual(newest.usual_size, size_words)}"


def _size(count: int | None) -> str:
    return "not told" if count is None else size_words(count)


def _usual(usual: Band | None, words: Callable[[float], str]) -> str:
    if usual is None:
        return "too few before it to tell what is usual"
    return f"usual {_range(usual, words)}"


def _range(usual: Band, words: Callable[[float], str]) -> str:
    low, high = words(usual.low), words(usual.high)
    return low if low == high else f"{low} to {high}"


def _marks(point: Point) -> tuple[str, ...]:
    return tuple(words for words in (_smaller(point), _slower(point)) if words)


def _short_marks(point: Point) -> str:
    return " and ".join(["smaller"] * point.smaller + ["slower"] * point.slower)


def _slower(point: Point) -> str:
    """Why a backup is marked as slower, empty where it is not."""
    usual = point.usual_seconds
    if usual is None or not point.slower:
        return ""
    return (
        f"slower than usual: {in_words(point.backup.seconds)}. {_most(usual)} took {_range(usual, in_words)}"
    )


def _smaller(point: Point) -> str:
    """Why a backup is marked as smaller, empty where it is not."""
    usual = point.usual_size
    if usual is None or not point.smaller:
        return ""
    return f"smaller than usual: {_size(point.backup.size)}. {_most(usual)} had {_range(usual, size_words)}"


def _most(usual: Band) -> str:
    return f"Of the {usual.count} backups before it, nine in ten"
