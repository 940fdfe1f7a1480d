"""Terminal escapes: golden files, and what must hold for any text.

``ansi/<name>.in`` is a line as Python would write it in a string; ``ansi/<name>.out`` has one span a line, as
``styles | text``, and ``redrawn`` where a carriage return overwrote something.
"""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_app.domain.ansi import Rendered, Span, Style, render

GOLDEN = Path(__file__).parent / "ansi"
PIECES = [
    "\x1b", "\x1b[", "\x1b]", "\x1b]8;;", "\x1bP", "\x07", "\x1b\\", "\r", "31", ";", ":", "38;2;1", "m", "K",
    "<b>",
]  # fmt: skip
HALVES = ["\x1b", "\x1b[", "\x1b[38;5", "\x1b]8;;https://x", "\x1bPq1", "\x1b]0;t\x1b"]


def told(rendered: Rendered) -> str:
    lines = [
        f"{' '.join(span.style.names) or ('link' if span.link else 'plain')} | {span.text!r}"
        for span in rendered.spans
    ]
    return "\n".join(lines + ["redrawn"] * rendered.redrawn) + "\n"


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.in")))
def test_a_line_looks_as_in_a_terminal(name: str) -> None:
    line = (GOLDEN / f"{name}.in").read_text().rstrip("\n").encode("ascii").decode("unicode_escape")
    assert told(render(line)) == (GOLDEN / f"{name}.out").read_text()


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join))
def test_styles_are_words_of_ours_and_text_is_text_of_the_line(line: str) -> None:
    known = {"bold", "dim", "italic", "underline", "overline", "strike", "inverse", "concealed"}
    known |= {f"{where}-{number}" for where in ("fg", "bg") for number in range(16)}
    spans = render(line).spans
    assert all(span.text and set(span.style.names) <= known for span in spans)
    characters = iter(line)
    assert all(c in characters for span in spans if not span.link for c in span.text), "in the line's order"


@given(st.text(st.characters(exclude_characters="\x1b\r")))
def test_text_without_escapes_stays_as_it_is(line: str) -> None:
    assert render(line) == Rendered((Span(line),) if line else ())


def test_all_that_was_overwritten_is_there_when_asked_for() -> None:
    assert render("1 %\r2 %\r3 %", redraw=False).spans == (Span("1 %\r2 %\r3 %"),)


@pytest.mark.parametrize("half", HALVES)
def test_half_a_sequence_where_a_line_was_cut_is_dropped(half: str) -> None:
    assert render(f"text{half}", cut=True).spans == (Span("text"),)
    assert "\x1b" in "".join(span.text for span in render(f"text{half}").spans), "and is not hidden else"


@pytest.mark.parametrize("piece", ["\x1b]", "\x1b[", "\x1bP", "\x1b[1", "\x1b[31ma", "a\r", "\x1b]8;;x\x07"])
def test_a_hostile_megabyte_takes_no_more_than_its_share(piece: str) -> None:
    """Sixteen times the text takes about sixteen times as long, and nothing like 256 times."""

    def seconds(size: int) -> float:
        line = piece * (size // len(piece))
        began = time.perf_counter()
        render(line)
        return time.perf_counter() - began

    small = min(seconds(64 * 1024) for _ in range(3))
    assert min(seconds(1024 * 1024) for _ in range(3)) < 120 * small


def test_a_style_names_what_it_is() -> None:
    assert Style(1, 12, frozenset({"underline", "bold"})).names == ("bold", "underline", "fg-1", "bg-12")
    assert Style().names == ()
