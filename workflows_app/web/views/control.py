"""Controlling a run: each action is a POST that goes back to the run's page."""

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from workflows_app.services.people.permissions import actor_of
from workflows_app.services.runs import control, starts
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors
from workflows_app.web.words.numbers import whole_number


def _to_run(request: HtmxHttpRequest, number: int) -> HttpResponse:
    if request.htmx:
        return HttpResponseClientRedirect(reverse("run", args=[number]))
    return redirect("run", number)


def _step(request: HttpRequest) -> int:
    """The number of the step that is spoken of; -1, which no step has, for nonsense."""
    return whole_number(request.POST.get("step", ""), -1)


@require_POST
@answers_errors
def cancel_run(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Ask the run to cancel."""
    async_to_sync(control.cancel_run)(actor_of(request.user), number)
    return _to_run(request, number)


@require_POST
@answers_errors
def terminate_run(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """End the run at once, for the reason given."""
    async_to_sync(control.terminate_run)(actor_of(request.user), number, request.POST.get("reason", ""))
    return _to_run(request, number)


@require_POST
@answers_errors
def retry_step(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Let the failed step be taken once more."""
    async_to_sync(control.retry_step)(actor_of(request.user), number, _step(request))
    return _to_run(request, number)


@require_POST
@answers_errors
def skip_step(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Let the run go on without the failed step."""
    async_to_sync(control.skip_step)(actor_of(request.user), number, _step(request))
    return _to_run(request, number)


@require_POST
@answers_errors
def abort_run(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Let the run that waits end as failed."""
    async_to_sync(control.abort_run)(actor_of(request.user), number, _step(request))
    return _to_run(request, number)


@require_POST
@answers_errors
def thaw_run(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Thaw what the run froze, or undo what it left."""
    async_to_sync(control.thaw_run)(actor_of(request.user), number)
    return _to_run(request, number)


@require_POST
@answers_errors
def resume_backup(request: HtmxHttpRequest, number: int) -> HttpResponse:
    """Start a run that goes on from the failed step, and go there."""
    resumed = async_to_sync(starts.resume_backup)(actor_of(request.user), number)
    return _to_run(request, resumed)
