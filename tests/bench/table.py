"""The table that ``make bench`` prints: one line for each measure, as soon as it is known."""

from collections.abc import Callable
from dataclasses import dataclass

WIDTHS = (66, 11, 11, 7)
MISSED = "missed"


@dataclass(frozen=True)
class Unit:
    """What a figure is counted in, and how it is written."""

    words: Callable[[float], str]


def _seconds(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def _bytes(value: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.2f} GiB"


SECONDS = Unit(_seconds)
BYTES = Unit(_bytes)
COUNT = Unit(lambda value: f"{value:.0f}")
CPU = Unit(lambda value: f"{value * 100:.2f} %")


@dataclass(frozen=True)
class Row:
    """One measure. ``baseline`` is None where there is nothing to compare with.

    ``most_ratio`` is the aim for ours / baseline, ``most`` the aim for ours in the unit itself; at most one
    of them is given. ``note`` is added to the line.
    """

    what: str
    ours: float
    baseline: float | None
    unit: Unit
    most_ratio: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours against the baseline; None where there is none."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def missed(self) -> bool:
        """Whether there is an aim and the measure is beyond it."""
        if self.most is not None:
            return self.ours > self.most
        return self.most_ratio is not None and self.ratio is not None and self.ratio > self.most_ratio

    def line(self) -> str:
        """The row as text."""
        aim = ""
        if self.most is not None:
            aim = f"≤ {self.unit.words(self.most)}"
        elif self.most_ratio is not None:
            aim = f"≤ {self.most_ratio:g}"
        return _line(
            self.what,
            self.unit.words(self.ours),
            "" if self.baseline is None else self.unit.words(self.baseline),
            "" if self.ratio is None else f"{self.ratio:.2f}",
            " ".join(part for part in (aim, MISSED if self.missed else "", self.note) if part),
        )


def show_head(title: str) -> None:
    """Print the title of a part and the names of the columns."""
    print(f"\n{title}")
    print(_line("what", "ours", "baseline", "ratio", "aim"), flush=True)


def show(row: Row) -> None:
    """Print a row."""
    print(row.line(), flush=True)


def say(text: str) -> None:
    """Print a remark on what is above or below."""
    print(f"  {text}", flush=True)


def _line(what: str, *cells: str) -> str:
    left = f"  {what:<{WIDTHS[0]}}"
    *figures, last = cells
    middle = "".join(f"  {cell:>{width}}" for cell, width in zip(figures, WIDTHS[1:], strict=True))
    return f"{left}{middle}  {last}".rstrip()
