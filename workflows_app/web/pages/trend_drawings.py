"""The drawings of trends, as paths in the units of their own ``viewBox``.

A bar is a vertical stroke that starts at the bottom: a few bytes, whose width is the stylesheet's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

DAY_WIDTH = 6
STRIP_HEIGHT = 20
BAR_WIDTH = 10
CHART_BARS = 30
CHART_WIDTH = CHART_BARS * BAR_WIDTH
CHART_HEIGHT = 60
# Above the bars there is room for a mark.
BARS_HEIGHT = 48
SPARK_WIDTH = 2
SPARK_HEIGHT = 16

NO_BACKUP = "none"
# Kinds differ in height, and in how they are stroked, so that each can be told without its colour.
_DAY_HEIGHTS = {
    "error": 20,
    "unknown": 20,
    "complete": 12,
    "running": 12,
    "waiting": 12,
    "cancelled": 6,
    NO_BACKUP: 2,
}
# A value of nothing is still to be seen, and so is one that nobody told.
_LEAST = 1.0
_UNTOLD = 12.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """Bars of one kind; ``words`` say on hover what they are."""

    kind: str
    path: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a chart draws of one backup: None is a value that nobody told."""

    value: float | None
    marked: bool
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars from a base of 0, the newest at the right edge, and the band of what is usual behind them.

    ``marks`` is a path of small triangles above the marked bars.
    """

    bars: tuple[Stroke, ...]
    marks: str
    band_top: float
    band_height: float


def day_path(kind: str, at: int = 0) -> str:
    """Answer the bar of a day of that kind, the ``at``-th of a strip."""
    return f"M{at * DAY_WIDTH + DAY_WIDTH // 2} {STRIP_HEIGHT}v-{_DAY_HEIGHTS[kind]}"


def strip_strokes(kinds: Iterable[str]) -> tuple[Stroke, ...]:
    """Answer a whole strip, one stroke for all days of a kind."""
    paths: dict[str, str] = {}
    for at, kind in enumerate(kinds):
        paths[kind] = paths.get(kind, "") + day_path(kind, at)
    return tuple(Stroke(kind, path) for kind, path in paths.items())


def chart(bars: Sequence[Bar], usual: tuple[float, float] | None) -> Chart:
    """Answer the chart of at most ``CHART_BARS`` bars; ``usual`` is the band from low to high."""
    low, high = usual or (0.0, 0.0)
    scale = BARS_HEIGHT / (max([high, *_told(bar.value for bar in bars)], default=0.0) or 1.0)
    strokes, marks = [], ""
    for at, bar in enumerate(bars, CHART_BARS - len(bars)):
        middle = at * BAR_WIDTH + BAR_WIDTH // 2
        height = _UNTOLD if bar.value is None else max(_LEAST, bar.value * scale)
        kind = "untold" if bar.value is None else "marked" if bar.marked else "bar"
        strokes.append(Stroke(kind, f"M{middle} {CHART_HEIGHT}v-{_short(height)}", bar.words))
        if bar.marked:
            marks += f"M{middle - 4} 1h8l-4 6z"
    return Chart(
        bars=tuple(strokes),
        marks=marks,
        band_top=round(CHART_HEIGHT - high * scale, 1),
        band_height=round(max(_LEAST, (high - low) * scale), 1) if usual else 0,
    )


def spark_path(values: Sequence[float | None]) -> str:
    """Answer a small chart of the last ``CHART_BARS`` values as one path; what nobody told is a gap."""
    scale = SPARK_HEIGHT / (max(_told(values), default=0.0) or 1.0)
    return "".join(
        f"M{at * SPARK_WIDTH + 0.5} {SPARK_HEIGHT}v-{_short(max(_LEAST, value * scale))}"
        for at, value in enumerate(values, CHART_BARS - len(values))
        if value is not None
    )


def _told(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _short(number: float) -> str:
    """A number with at most one decimal."""
    return f"{number:.1f}".removesuffix(".0")
