"""Pages come soon, whatever becomes of Temporal."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from workflows_app.services.temporal.budgets import budget


class PageBudget:
    """A middleware that gives what a page asks of Temporal ``FOSSUL_PAGE_SECONDS`` together."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; one that changes something takes as long as it takes."""
        with budget(settings.FOSSUL_PAGE_SECONDS if request.method in ("GET", "HEAD") else None):
            return self._get_response(request)
