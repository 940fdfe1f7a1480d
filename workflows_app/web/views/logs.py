"""The log of a run, by parts: windows of it, single lines, hits of a search, and all of it as a download."""

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import groupby

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from workflows_app.services.logs import log_search, log_windows
from workflows_app.services.logs.log_stream import stream_lines
from workflows_app.services.logs.messages import LogLine
from workflows_app.services.people.permissions import Actor, actor_of
from workflows_app.services.runs import runs
from workflows_app.services.temporal.progress import Sight
from workflows_app.web.logs import log_views
from workflows_app.web.logs.log_formats import StepName, as_ndjson, as_text
from workflows_app.web.runs.run_views import RunView, run_view
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors

PAGE = "workflows_app/run_detail.html"

Form = Callable[[Sequence[LogLine], StepName], str]


@require_safe
@answers_errors
def log_window(request: HtmxHttpRequest, number: int, step: int, attempt: int) -> HttpResponse:
    """Answer lines of one attempt: items for htmx, a page of their own otherwise.

    ``before``, ``after`` and ``around`` are numbers of lines, ``level`` filters (``log_windows.log_window``).
    """
    actor = actor_of(request.user)
    run = _recorded(actor, number)
    levels = log_views.asked_levels(request.GET)
    window = log_windows.log_window(
        actor,
        number,
        (step, attempt),
        levels,
        after=log_views.asked_number(request.GET, "after") or 0,
        before=log_views.asked_number(request.GET, "before"),
        around=log_views.asked_number(request.GET, "around"),
    )
    if request.htmx:
        return render(request, f"{PAGE}#log-lines", {"number": number, "lines": window.lines})
    context = {
        "run": run,
        "name": log_views.step_name(run, step),
        "attempt": attempt,
        "window": window,
        "levels": log_views.level_query(levels),
    }
    return render(request, "workflows_app/run_log.html", context)


@require_safe
@answers_errors
def log_line(request: HtmxHttpRequest, number: int, step: int, attempt: int, seq: int) -> HttpResponse:
    """Answer one line with all that was printed: an item for htmx, a page of its own otherwise."""
    actor = actor_of(request.user)
    run = _recorded(actor, number)
    lines = (log_windows.whole_line(actor, number, (step, attempt, seq)),)
    if request.htmx:
        return render(request, f"{PAGE}#log-lines", {"number": number, "lines": lines, "whole": True})
    context = {
        "run": run,
        "name": log_views.step_name(run, step),
        "attempt": attempt,
        "window": log_windows.LogWindow(lines, 0, 0),
        "whole": True,
    }
    return render(request, "workflows_app/run_log.html", context)


@require_safe
@answers_errors
def search_log(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Search the whole log: the next hit from line ``from`` on for htmx, a page of hits otherwise."""
    actor = actor_of(request.user)
    run = _recorded(actor, number)
    query = log_views.asked_search(request.GET)
    if request.htmx:
        start = log_views.asked_line(request.GET, "from")
        backwards = request.GET.get("go") == "previous"
        found = log_search.find_line(actor, number, query, start, backwards=backwards)
        address = "step-{}-attempt-{}-L{}".format(*found.line) if found.line else ""
        context = {"found": found, "address": address, "query": query}
        return render(request, "workflows_app/_log_tools.html#log-found", context)
    levels = log_views.asked_levels(request.GET)
    context = {"run": run, "query": query, "choices": log_views.level_choices({}, levels)}
    if not query.empty:
        page = log_views.asked_number(request.GET, "page") or 1
        hits = log_search.list_hits(actor, number, query, page)
        context |= {
            "hits": hits,
            "groups": [
                (log_views.step_name(run, step), attempt, tuple(lines))
                for (step, attempt), lines in groupby(hits.lines, key=lambda line: line.place)
            ],
            "earlier": _page_link(request, hits.page - 1),
            "later": _page_link(request, hits.page + 1),
        }
    return render(request, "workflows_app/run_search.html", context)


def _page_link(request: HtmxHttpRequest, page: int) -> str:
    query = request.GET.copy()
    query["page"] = str(page)
    return f"?{query.urlencode()}"


@require_safe
@answers_errors
def log_text(request: HtmxHttpRequest, number: int) -> HttpResponseBase:
    """Download the log as text."""
    return _download(request, number, as_text, "txt", "text/plain; charset=utf-8")


@require_safe
@answers_errors
def log_ndjson(request: HtmxHttpRequest, number: int) -> HttpResponseBase:
    """Download the log as one JSON object a line."""
    return _download(request, number, as_ndjson, "ndjson", "application/x-ndjson")


def _download(
    request: HtmxHttpRequest, number: int, form: Form, suffix: str, content_type: str
) -> StreamingHttpResponse:
    actor = actor_of(request.user)
    run = _recorded(actor, number)
    names = {step.number: step.name for phase in run.phases for step in phase.steps}
    batches = stream_lines(actor, number)

    async def parts() -> AsyncIterator[bytes]:
        async for lines in batches:
            yield form(lines, lambda step: names.get(step, f"Step {step}")).encode()

    return StreamingHttpResponse(
        parts(),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="run-{number}.{suffix}"'},
    )


def _recorded(actor: Actor, number: int) -> RunView:
    """The run as it was last recorded: Temporal is not asked for the sake of a few lines."""
    run = runs.get_run(actor, number)
    return run_view(run.summary, Sight(progress=run.progress), actor, timezone.now())
