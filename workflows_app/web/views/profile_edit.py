"""Profiles: made, changed, and what becomes of them as a whole."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from workflows_app.domain.errors import ConfigInvalid, FossulError, NotFound, NotNow
from workflows_app.services.configurations import catalog
from workflows_app.services.editing import config_places, profile_edits
from workflows_app.services.people.permissions import Actor, Right, actor_of
from workflows_app.web.views.config_places import schedules_of
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of

PAGE = "workflows_app/profile_edit.html"


@require_http_methods(["GET", "POST"])
@answers_errors
def new_profile(request: HtmxHttpRequest) -> HttpResponse:
    """Ask for a name, make the profile, and go on with its first configuration."""
    actor = actor_of(request.user)
    actor.require(Right.CONFIGURE)
    refusal: FossulError | None = None
    if request.method == "POST":
        name = request.POST.get("name", "").strip()
        try:
            profile_edits.create_profile(actor, name, request.POST.get("description", "").strip())
            return redirect("new-config", name)
        except ConfigInvalid as error:
            refusal = error
    return _page(request, refusal, {"typed": request.POST})


@require_http_methods(["GET", "POST"])
@answers_errors
def edit_profile(request: HtmxHttpRequest, profile: str) -> HttpResponse:
    """Show what can be done to a profile, and do one of it."""
    actor = actor_of(request.user)
    actor.require(Right.CONFIGURE)
    refusal: FossulError | None = None
    if request.method == "POST":
        try:
            return _manage(request, actor, profile)
        except (ConfigInvalid, NotNow) as error:
            refusal = error
    found = catalog.get_profile(actor, profile)
    typed = request.POST if refusal else {"name": found.name, "description": found.description}
    context = {
        "profile": found,
        "typed": typed,
        "losses": config_places.losses_of(actor, profile),
        "schedules": schedules_of(actor, profile),
    }
    return _page(request, refusal, context)


def _manage(request: HtmxHttpRequest, actor: Actor, profile: str) -> HttpResponse:
    asked = request.POST.get("do", "")
    name = request.POST.get("name", "").strip()
    if asked == "change":
        description = request.POST.get("description", "").strip()
        opened = request.POST.get("opened")
        # A browser sends the end of a line, which an import may have put there, as two characters.
        opened = opened.replace("\r\n", "\n") if opened is not None else None
        profile_edits.change_profile(actor, profile, name, description, opened)
        return redirect("profile", name)
    if asked == "duplicate":
        profile_edits.duplicate_profile(actor, profile, name, with_schedules="schedules" in request.POST)
        return redirect("profile", name)
    if asked == "delete":
        profile_edits.delete_profile(actor, profile, request.POST.get("confirmation", ""))
        return redirect("profiles")
    if asked in ("disable", "enable"):
        profile_edits.switch_profile(actor, profile, disabled=asked == "disable")
        return redirect("profile", profile)
    raise NotFound("A profile can be changed, duplicated, disabled, enabled or deleted.")


def _page(request: HtmxHttpRequest, refusal: FossulError | None, context: dict[str, object]) -> HttpResponse:
    code, title = status_of(refusal) if refusal else (200, "")
    told = {
        "refusal": str(refusal or ""),
        "refusal_title": title,
        "asked": request.POST.get("do", ""),
    }
    return render(request, PAGE, context | told, status=code)
