"""The overview."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from workflows_app.services.people.permissions import actor_of
from workflows_app.services.recording import recorder
from workflows_app.web.pages.overview_page import overview_context
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors


@require_safe
@answers_errors
def overview(request: HtmxHttpRequest) -> HttpResponse:
    """Show what runs now, what needs a person, each configuration and the last runs."""
    recorder.refresh()
    context = overview_context(actor_of(request.user), timezone.now())
    return render(request, "workflows_app/overview.html", context)
