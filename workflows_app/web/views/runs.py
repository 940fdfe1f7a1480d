"""Runs: the list, the page of one, and its result."""

from dataclasses import replace

from asgiref.sync import async_to_sync
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from workflows_app.domain.errors import NotFound, TemporalUnavailable
from workflows_app.domain.states import RunState
from workflows_app.services import audit, catalog, progress, recorder, runs
from workflows_app.services.permissions import Actor, actor_of
from workflows_app.services.progress import Sight
from workflows_app.services.runs import RunDetail
from workflows_app.web.log_views import log_pane
from workflows_app.web.presenters import RunView, run_row, run_view
from workflows_app.web.statuses import RUN_STATUS
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors


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
    log = log_pane(actor, view, request.GET)
    done = audit.entries_of_run(actor, number)
    return render(request, "workflows_app/run_detail.html", {"run": view, "log": log, "done": done})


def _view(actor: Actor, run: RunDetail) -> RunView:
    return run_view(run.summary, _sight(run), actor, timezone.now())


def _sight(run: RunDetail) -> Sight:
    """What Temporal tells of an open run; what was last recorded where it tells nothing."""
    recorded = Sight(progress=run.progress, guarded=run.guarded)
    if run.settled or not run.address.run_id:
        return recorded
    try:
        return async_to_sync(progress.look)(run.address)
    except (TemporalUnavailable, NotFound) as error:
        return replace(recorded, trouble=str(error))


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
