"""Which partial shows which change: the one place that knows "page.html#partial" and out-of-band swaps."""

from collections.abc import Mapping, Sequence

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from workflows_app.domain.results import Level
from workflows_app.services.logs.log_windows import LogSection
from workflows_app.services.logs.messages import LogLine, Place
from workflows_app.web.logs.log_lines import render_lines
from workflows_app.web.logs.log_views import level_choices, section_view
from workflows_app.web.runs.run_views import RunView

PAGE = "workflows_app/run_detail.html"


def live(run: RunView) -> str:
    """Everything of a run that changes in place: header, notice, steps."""
    return render_to_string(f"{PAGE}#run-live", {"run": run, "oob": True})


def more_lines(number: int, place: Place, lines: Sequence[LogLine]) -> str:
    """Lines that go to the end of a section which the page already has."""
    return format_html(
        '<ol id="lines-{}-{}" hx-swap-oob="beforeend">{}</ol>', *place, render_lines(number, lines)
    )


def level_counts(counts: Mapping[Level, int]) -> str:
    """How many lines there are of each level."""
    return "".join(
        render_to_string("workflows_app/_log_tools.html#level-count", {"level": level, "oob": True})
        for level in level_choices(counts)
    )


def new_section(run: RunView, section: LogSection) -> str:
    """A section that goes to the end of the log."""
    return format_html('<div id="log" hx-swap-oob="beforeend">{}</div>', _section(run, section, oob=False))


def whole_section(run: RunView, section: LogSection) -> str:
    """A section that takes the place of the one that the page has."""
    return _section(run, section, oob=True)


def _section(run: RunView, section: LogSection, *, oob: bool) -> str:
    context = {"run": run, "section": section_view(run, section), "oob": oob}
    return mark_safe(render_to_string(f"{PAGE}#log-section", context))  # noqa: S308 - our own template
