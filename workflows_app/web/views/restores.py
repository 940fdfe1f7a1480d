"""Restoring a restore point."""

from asgiref.sync import async_to_sync
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from workflows_app.domain.errors import (
    ConfigInvalid,
    FossulError,
    NotNow,
    PlanRefused,
    RunAlreadyActive,
    TemporalUnavailable,
)
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import Right, actor_of
from workflows_app.services.points import restores
from workflows_app.web.pages.chosen_files import Chosen, carried, read_chosen
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of


@require_http_methods(["GET", "POST"])
@answers_errors
def restore(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Ask where to restore a backup to, or the files of it that were chosen, and start it."""
    actor = actor_of(request.user)
    actor.require(Right.OPERATE)
    refusal: FossulError | None = None
    comes_from_files = "wizard" in request.POST
    chosen = read_chosen(request.POST) if comes_from_files else carried(request.POST)
    if comes_from_files and not chosen.keys:
        return redirect("point-files", profile, config, backup)
    if request.method == "POST" and not comes_from_files:
        wanted, typed = _wanted(request.POST, chosen), request.POST.get("confirmation", "").strip()
        try:
            return redirect(
                "run", async_to_sync(restores.start_restore)(actor, profile, config, backup, wanted, typed)
            )
        except (ConfigInvalid, NotNow, PlanRefused, RunAlreadyActive, TemporalUnavailable) as error:
            refusal = error
    code, title = status_of(refusal) if refusal else (200, "")
    point = async_to_sync(restores.get_restore_point)(actor, profile, config, backup)
    context = {
        "config": catalog.get_config(actor, profile, config).summary,
        "point": point,
        "chosen": chosen,
        "may_browse": not chosen.keys and point.by_file,
        "target": request.POST.get("target", ""),
        "safety": request.POST.get("safety") == "yes",
        "refusal": refusal,
        "refusal_title": title,
        "wrong": refusal.field if isinstance(refusal, ConfigInvalid) else "",
        "holder": refusal.run if isinstance(refusal, RunAlreadyActive) else None,
    }
    return render(request, "workflows_app/restore.html", context, status=code)


def _wanted(post: QueryDict, chosen: Chosen) -> RestoreRequest:
    """What a form asks for. One that was made for chosen files is never taken for one of everything."""
    if "of_files" in post and not chosen.keys:
        raise ConfigInvalid("files", "none is chosen: tick them again")
    return RestoreRequest(
        target=post.get("target", "").strip(),
        dry_run=post.get("dry_run") == "yes",
        safety=post.get("safety") == "yes",
        files=chosen.keys,
    )
