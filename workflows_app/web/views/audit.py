"""The audit: who did what."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from workflows_app.services.people import audit
from workflows_app.services.people.permissions import actor_of
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors
from workflows_app.web.words.numbers import whole_number


@require_safe
@answers_errors
def audit_list(request: HtmxHttpRequest) -> HttpResponse:
    """Show what was done, the newest first."""
    page = whole_number(request.GET.get("page", "1"), 1)
    found = audit.list_entries(actor_of(request.user), page)
    return render(request, "workflows_app/audit_list.html", {"page": found})
