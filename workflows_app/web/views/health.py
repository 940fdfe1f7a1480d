"""The health check: for load balancers and monitoring, so without login."""

from asgiref.sync import async_to_sync
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_app.services.temporal import health


@login_not_required
@never_cache
@require_safe
def health_check(request: HttpRequest) -> JsonResponse:
    """Answer whether runs can be started and will be worked on: 200, or 503 with what is missing."""
    found = async_to_sync(health.check)()
    return JsonResponse(found.report(), status=200 if found.ok else 503)
