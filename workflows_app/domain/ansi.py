"""What a program meant for a terminal, as spans of plain text with styles (ECMA-48, ISO 8613-6, OSC 8).

Styles are words from a fixed set, so nothing of the text can become markup. Colours are the terminal's 16:
of the 256 and of true colour the nearest one is taken, since a page has only these as classes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, islice

# A string that is never ended is no sequence: its introducer stays, to be shown, and hides nothing.
_SEQUENCE = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]{0,256})m"
    r"|\x1b\]8;[^;\x07\x1b]*+;(?P<link>[^\x07\x1b]*+)(?:\x07|\x1b\\)"
    r"|\x1b\[[0-?]*+[ -/]*+[@-~]"
    r"|\x1b\][^\x07\x1b]*+(?:\x07|\x1b\\)"
    r"|\x1b[PX^_][^\x1b]*+\x1b\\"
    r"|\x1b[ -/]*+[0-OQ-WYZ\\`-~]"
    r"|(?P<return>\r)"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x1b\x07]*\x1b?|[ -/]*)\Z")

_ON = {
    1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 8: "concealed", 9: "strike",
    21: "underline", 53: "overline",
}  # fmt: skip
_OFF = {
    22: {"bold", "dim"}, 23: {"italic"}, 24: {"underline"}, 27: {"inverse"}, 28: {"concealed"},
    29: {"strike"}, 55: {"overline"},
}  # fmt: skip
_ORDER = ("bold", "dim", "italic", "underline", "overline", "strike", "inverse", "concealed")
_FOREGROUND, _BACKGROUND, _UNDERLINE = 38, 48, 58

# xterm's own values.
_PALETTE = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
    (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255),
    (0, 255, 255), (255, 255, 255),
)  # fmt: skip
_CUBE = (0, 95, 135, 175, 215, 255)


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks: colours by number (0-15, None is the page's own) and marks such as ``bold``."""

    foreground: int | None = None
    background: int | None = None
    marks: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The style in words: ``fg-1``, ``bg-0``, ``bold`` …; none for plain text."""
        names = [mark for mark in _ORDER if mark in self.marks]
        if self.foreground is not None:
            names.append(f"fg-{self.foreground}")
        if self.background is not None:
            names.append(f"bg-{self.background}")
        return tuple(names)


PLAIN = Style()


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style. ``link`` marks the address that a hyperlink before it had."""

    text: str
    style: Style = PLAIN
    link: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """A line as a terminal would leave it; ``redrawn`` says that a carriage return overwrote some of it."""

    spans: tuple[Span, ...]
    redrawn: bool = False

    @property
    def text(self) -> str:
        """The line without its styles."""
        return "".join(span.text for span in self.spans)


def render(text: str, *, cut: bool = False, redraw: bool = True) -> Rendered:
    """Answer what a terminal would show of the line ``text``.

    Styles and hyperlinks are kept, every other escape sequence is dropped, and of what was overwritten after
    a carriage return only the last state stays, unless ``redraw`` is False. ``cut`` says that the text is
    the beginning of a longer one: half a sequence at its end is dropped, too. Other control characters
    stay in the text: whoever shows it makes them visible.
    """
    if cut:
        text = _UNFINISHED.sub("", text)
    screen = _Screen(redraw)
    end = 0
    for match in _SEQUENCE.finditer(text):
        screen.write(text[end : match.start()])
        end = match.end()
        if match["sgr"] is not None:
            screen.style = _styled(screen.style, match["sgr"])
        elif match["link"] is not None:
            screen.link(match["link"])
        elif match["return"]:
            screen.carriage_return()
    screen.write(text[end:])
    screen.link("")
    return Rendered(tuple(screen.spans()), screen.redrawn)


class _Screen:
    """One line of a terminal: pieces of text as they come, which are joined once at the end."""

    def __init__(self, redraw: bool) -> None:
        self.style = PLAIN
        self.redrawn = False
        self._pieces: list[Span] = []
        self._redraw = redraw
        self._returned = False
        self._address = ""
        self._linked: list[str] = []

    def write(self, text: str) -> None:
        if not text:
            return
        if self._returned:
            self.redrawn = self.redrawn or bool(self._pieces)
            self._pieces.clear()
            self._returned = False
        if self._address:
            self._linked.append(text)
        self._pieces.append(Span(text, self.style))

    def carriage_return(self) -> None:
        if self._redraw:
            self._returned = True
        else:
            self.write("\r")

    def link(self, address: str) -> None:
        """Begin a hyperlink, or end one (``""``): a page has no link for it, so it says where it went."""
        if self._address and self._address != "".join(self._linked) and not self._returned:
            self._pieces.append(Span(f"⟨{self._address}⟩", link=True))
        self._address = address
        self._linked.clear()

    def spans(self) -> Iterator[Span]:
        """The pieces, those of one style together."""
        for (style, link), pieces in groupby(self._pieces, key=lambda piece: (piece.style, piece.link)):
            yield Span("".join(piece.text for piece in pieces), style, link)


@lru_cache(maxsize=1024)
def _styled(style: Style, parameters: str) -> Style:
    """``style`` after one SGR sequence; what is not known of it changes nothing."""
    codes = iter(parameters.split(";"))
    for code in codes:
        head, *rest = code.split(":")
        number = _number(head)
        if number in (_FOREGROUND, _BACKGROUND, _UNDERLINE):
            colour = _colour(rest) if rest else _colour(_following(codes))
            if colour is not None and number == _FOREGROUND:
                style = replace(style, foreground=colour)
            elif colour is not None and number == _BACKGROUND:
                style = replace(style, background=colour)
        elif number == 4 and rest == ["0"]:
            style = replace(style, marks=style.marks - {"underline"})
        else:
            style = _simple(style, number)
    return style


def _simple(style: Style, number: int) -> Style:
    if number == 0:
        return PLAIN
    if number in _ON:
        return replace(style, marks=style.marks | {_ON[number]})
    if number in _OFF:
        return replace(style, marks=style.marks - _OFF[number])
    if number in (39, 49):
        return replace(style, foreground=None) if number == 39 else replace(style, background=None)
    bright = 8 if number >= 90 else 0
    tens, colour = divmod(number - (60 if bright else 0), 10)
    if colour > 7 or tens not in (3, 4):
        return style
    colour += bright
    return replace(style, foreground=colour) if tens == 3 else replace(style, background=colour)


def _following(codes: Iterator[str]) -> list[str]:
    """The parameters of a colour that stand behind it, separated by semicolons."""
    kind = next(codes, "")
    return [kind, *islice(codes, {"5": 1, "2": 3}.get(kind, 0))]


def _colour(parameters: list[str]) -> int | None:
    """The nearest of the 16 colours, None for what names none."""
    kind, *values = parameters
    if kind == "2" and len(values) > 3:
        values = values[1:4]  # the first is a colour space
    numbers = [_number(value) for value in values]
    if not all(0 <= number <= 255 for number in numbers):
        return None
    if kind == "2" and len(numbers) == 3:
        return _nearest(*numbers)
    if kind != "5" or not numbers:
        return None
    index = numbers[0]
    if index < 16:
        return index
    if index >= 232:
        grey = 8 + 10 * (index - 232)
        return _nearest(grey, grey, grey)
    index -= 16
    return _nearest(_CUBE[index // 36], _CUBE[index // 6 % 6], _CUBE[index % 6])


@lru_cache(maxsize=4096)
def _nearest(red: int, green: int, blue: int) -> int:
    return min(
        range(16),
        key=lambda n: sum((a - b) ** 2 for a, b in zip(_PALETTE[n], (red, green, blue), strict=True)),
    )


def _number(text: str) -> int:
    """A parameter; an empty one is 0, one that is too long is none that means anything."""
    return int(text or 0) if len(text) < 4 else -1
