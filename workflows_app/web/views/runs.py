"""The page of one run, and its result."""

from dataclasses import replace

from asgiref.sync import async_to_sync
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from workflows_app.domain.errors import NotFound, TemporalUnavailable
from workflows_app.domain.states import RunState
from workflows_app.services.logs.attempts import attempt_times
from workflows_app.services.people import audit
from workflows_app.services.people.permissions import Actor, actor_of
from workflows_app.services.runs import runs
from workflows_app.services.runs.runs import RunDetail
from workflows_app.services.temporal import progress
from workflows_app.services.temporal.progress import Sight
from workflows_app.web.logs.log_views import log_pane
from workflows_app.web.runs.run_views import RunView, run_view
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors


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
    queued = run.summary.state is RunState.QUEUED
    holder = runs.lock_holder(actor, run.summary) if queued else None
    sight = _sight(run)
    retried = any(step.attempt > 1 for step in sight.progress.steps)
    spoken = attempt_times(actor, run.summary.number) if retried else {}
    return run_view(run.summary, sight, actor, timezone.now(), holder=holder, spoken=spoken)


def _sight(run: RunDetail) -> Sight:
    """What Temporal tells of an open run; what was last recorded where it tells nothing."""
    recorded = Sight(progress=run.progress, guarded=run.guarded)
    begun = run.summary.state is not RunState.QUEUED and run.address.run_id
    if run.settled or not begun:
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
