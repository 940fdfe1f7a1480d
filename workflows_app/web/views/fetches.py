"""Fetching an archived backup back: a POST that goes to the run which does it."""

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from workflows_app.services.people.permissions import actor_of
from workflows_app.services.points import fetches
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors


@require_POST
@answers_errors
def start_fetch(request: HtmxHttpRequest, profile: str, config: str, archive: str) -> HttpResponse:
    """Start bringing the archive back to the storage."""
    number = async_to_sync(fetches.start_fetch)(actor_of(request.user), profile, config, archive)
    return redirect("run", number)
