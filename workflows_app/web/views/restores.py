"""Restoring a restore point."""

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from workflows_app.domain.errors import (
    ConfigInvalid,
    FossulError,
    PlanRefused,
    RunAlreadyActive,
    TemporalUnavailable,
)
from workflows_app.domain.restores import RestoreRequest
from workflows_app.services import catalog, restores
from workflows_app.services.permissions import Right, actor_of
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of


@require_http_methods(["GET", "POST"])
@answers_errors
def restore(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Ask where to restore a backup to, and start it."""
    actor = actor_of(request.user)
    actor.require(Right.OPERATE)
    refusal: FossulError | None = None
    if request.method == "POST":
        wanted = RestoreRequest(
            target=request.POST.get("target", "").strip(),
            dry_run=request.POST.get("dry_run") == "yes",
            safety=request.POST.get("safety") == "yes",
        )
        try:
            number = async_to_sync(restores.start_restore)(
                actor, profile, config, backup, wanted, request.POST.get("confirmation", "").strip()
            )
            return redirect("run", number)
        except (ConfigInvalid, PlanRefused, RunAlreadyActive, TemporalUnavailable) as error:
            refusal = error
    code, title = status_of(refusal) if refusal else (200, "")
    context = {
        "config": catalog.get_config(actor, profile, config).summary,
        "point": async_to_sync(restores.get_restore_point)(actor, profile, config, backup),
        "target": request.POST.get("target", ""),
        "safety": request.POST.get("safety") == "yes",
        "refusal": str(refusal or ""),
        "refusal_title": title,
        "holder": refusal.run if isinstance(refusal, RunAlreadyActive) else None,
    }
    return render(request, "workflows_app/restore.html", context, status=code)
