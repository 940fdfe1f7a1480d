"""Runs: the list, the page of one, its log, its result, and cancelling it."""

from asgiref.sync import async_to_sync
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from workflows_app.domain.errors import NotFound, TemporalUnavailable
from workflows_app.domain.progress import RunState
from workflows_app.services import catalog, messages, progress, recorder, runs
from workflows_app.services.messages import LogSection
from workflows_app.services.permissions import Actor, actor_of
from workflows_app.services.progress import Sight
from workflows_app.services.runs import RunDetail
from workflows_app.web.presenters import RUN_STATUS, RunView, run_row, run_view, section_view
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors

# As many lines of each attempt as a first paint can carry and stay small; the rest is a click away.
FIRST_LINES = 200


@require_safe
@answers_errors
def run_list(request: HtmxHttpRequest) -> HttpResponse:
    """Show the runs that fit the filter in the URL, newest first."""
    recorder.refresh()
    actor = actor_of(request.user)
    profile, config, state = (request.GET.get(name, "") for name in ("profile", "config", "state"))
    wanted = next((known for known in RunState if known.value == state), None)
    page = request.GET.get("page", "1")
    found = runs.list_runs(
        actor,
        profile=profile or None,
        config=config or None,
        state=wanted,
        page=int(page) if page.isascii() and page.isdigit() else 1,
    )
    configs = catalog.list_configs(actor)
    now = timezone.now()
    context = {
        "page": found,
        "rows": [run_row(run, now) for run in found.runs],
        "profiles": sorted({c.profile for c in configs} | ({profile} - {""})),
        "configs": sorted({c.name for c in configs if profile in ("", c.profile)} | ({config} - {""})),
        "states": [(known.value, status.word) for known, status in RUN_STATUS.items()],
        "profile": profile,
        "config": config,
        "state": wanted.value if wanted else "",
        "filtered": bool(profile or config or wanted),
        "newer": _page_link(request, found.page - 1),
        "older": _page_link(request, found.page + 1),
    }
    return render(request, "workflows_app/run_list.html", context)


def _page_link(request: HtmxHttpRequest, page: int) -> str:
    query = request.GET.copy()
    query["page"] = str(page)
    return f"?{query.urlencode()}"


@require_safe
@answers_errors
def run_detail(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Show a run as it is now; while it is open, the page's socket keeps it up to date."""
    actor = actor_of(request.user)
    view = _view(actor, runs.get_run(actor, number))
    sections = [section_view(view, s) for s in messages.log_sections(actor, number, window=FIRST_LINES)]
    return render(request, "workflows_app/run_detail.html", {"run": view, "sections": sections})


def _view(actor: Actor, run: RunDetail) -> RunView:
    return run_view(run.summary, _sight(run), actor, timezone.now())


def _sight(run: RunDetail) -> Sight:
    """What Temporal tells of an open run; what was last recorded where it tells nothing."""
    recorded = Sight(progress=run.progress)
    if run.progress.state.closed or not run.run_id:
        return recorded
    try:
        return async_to_sync(progress.look)(run.workflow_id, run.run_id)
    except (TemporalUnavailable, NotFound) as error:
        return Sight(progress=run.progress, trouble=str(error))


@require_POST
@answers_errors
def cancel_run(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Ask the run to cancel, and go back to it."""
    async_to_sync(runs.cancel_run)(actor_of(request.user), number)
    if request.htmx:
        return HttpResponseClientRedirect(reverse("run", args=[number]))
    return redirect("run", number)


@require_safe
@answers_errors
def earlier_lines(request: HtmxHttpRequest, number: int, step: int, attempt: int) -> HttpResponse:
    """Answer the lines before line ``before``: as a fragment for htmx, as a page of their own otherwise."""
    actor = actor_of(request.user)
    run = runs.get_run(actor, number)
    before = request.GET.get("before", "")
    first = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else 1
    lines = messages.earlier_lines(actor, number, step, attempt, first)
    view = run_view(run.summary, Sight(progress=run.progress), actor, timezone.now())
    section = section_view(view, LogSection(step, attempt, lines, total=len(lines)))
    template = "workflows_app/run_detail.html#earlier-lines" if request.htmx else "workflows_app/run_log.html"
    return render(request, template, {"run": view, "section": section, "lines": lines, "oob": True})


@require_safe
@answers_errors
def run_result(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Download Fossul's result of a closed run as JSON."""
    run = runs.get_run(actor_of(request.user), number)
    if not run.result:
        why = "it has not ended yet" if not run.summary.state.closed else "it ended without one"
        raise NotFound(f"Run {number} has no result: {why}.")
    return JsonResponse(
        run.result,
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": f'attachment; filename="run-{number}.json"'},
    )
