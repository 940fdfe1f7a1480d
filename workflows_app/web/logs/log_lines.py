"""Lines of a log as HTML. Not a template: a run may say 100,000 lines, and this takes a tenth of the time."""

from collections.abc import Iterable
from datetime import UTC
from html import escape

from django.urls import reverse
from django.utils.safestring import SafeString

from workflows_app.domain import ansi
from workflows_app.domain.results import Level
from workflows_app.services.logs.messages import LogLine
from workflows_app.web.words.visible_text import visible

_LEVELS = {level.value: level.name.lower() for level in Level}


def level_class(level: str) -> str:
    """Answer the style class of a line's level; every level that Fossul does not know is ``unknown``."""
    return _LEVELS.get(level, "unknown")


def line_id(line: LogLine) -> str:
    """Answer the address of a line within its run, which is its id on every page."""
    return f"step-{line.step}-attempt-{line.attempt}-L{line.seq}"


def render_lines(
    number: int, lines: Iterable[LogLine], *, whole: bool = False, elsewhere: bool = False
) -> SafeString:
    """Answer lines of run ``number`` as list items, each with its address.

    A line that is cut, or that redrew itself, has a link to the rest; ``whole`` shows all of each. With
    ``elsewhere``, a line's number leads to the page where it stands among its neighbours.
    """
    return SafeString("".join(_line(number, line, whole, elsewhere) for line in lines))


def _line(number: int, line: LogLine, whole: bool, elsewhere: bool) -> str:
    address = line_id(line)
    link = f"#{address}"
    if elsewhere:
        link = f"{reverse('log-window', args=[number, *line.place])}?around={line.seq}{link}"
    time = line.time.astimezone(UTC)
    rendered = ansi.render(line.text, cut=line.cut, redraw=not whole)
    text = "".join(_span(span) for span in rendered.spans)
    return (
        f'<li id="{address}" data-seq="{line.seq}" class="{level_class(line.level)}">'
        f'<a href="{link}">{line.seq}</a>'
        f'<time datetime="{time:%Y-%m-%dT%H:%M:%SZ}">{time:%H:%M:%S}</time>'
        f"<b>{escape(visible(line.level))}</b>"
        f"<bdi>{text}</bdi>{_rest(number, line, redrawn=rendered.redrawn)}</li>\n"
    )


def _span(span: ansi.Span) -> str:
    text = escape(visible(span.text))
    names = "link" if span.link else " ".join(span.style.names)
    return f'<span class="{names}">{text}</span>' if names else text


def _rest(number: int, line: LogLine, *, redrawn: bool) -> str:
    if not line.cut and not redrawn:
        return ""
    address = reverse("log-line", args=[number, line.step, line.attempt, line.seq])
    words = f"show all {line.length:,} characters" if line.cut else "redrawn: show all states"
    return f'<a class="rest" href="{address}">{words}</a>'
