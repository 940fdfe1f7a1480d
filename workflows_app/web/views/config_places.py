"""What becomes of a configuration as a whole, and what it was before."""

from functools import partial

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_app.domain.config import Config
from workflows_app.domain.errors import (
    ConfigInvalid,
    FossulError,
    NotFound,
    NotNow,
    Outdated,
    SettingsRefused,
    TemporalUnavailable,
)
from workflows_app.services.configurations import catalog, versions
from workflows_app.services.editing import config_edits, config_places
from workflows_app.services.people.permissions import Actor, actor_of
from workflows_app.services.schedules.schedule_lists import ScheduleSummary, list_schedules
from workflows_app.services.temporal.health import temporal_trouble
from workflows_app.web.editors.gone_views import GoneView, gone_view, said_successors, saved_or_asked
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of
from workflows_app.web.words.numbers import whole_number


@require_http_methods(["GET", "POST"])
@answers_errors
def manage_config(request: HtmxHttpRequest, profile: str, config: str) -> HttpResponse:
    """Show what can be done to a configuration as a whole, and do one of it."""
    actor = actor_of(request.user)
    refusal: FossulError | None = None
    if request.method == "POST":
        try:
            return _manage(request, actor, profile, config)
        except (ConfigInvalid, NotNow) as error:
            refusal = error
    loss = config_places.loss_of(actor, profile, config)
    code, title = status_of(refusal) if refusal else (200, "")
    detail = catalog.get_config(actor, profile, config)
    context = {
        "config": detail.summary,
        "loss": loss,
        "folder": backups_folder(detail.config),
        "profiles": catalog.list_profiles(actor),
        "schedules": schedules_of(actor, profile, config),
        "typed": request.POST if refusal else {},
        "refusal": str(refusal or ""),
        "refusal_title": title,
    }
    return render(request, "workflows_app/config_manage.html", context, status=code)


def backups_folder(config: Config) -> str:
    """Where the plugin ``filesystem`` keeps a configuration's backups; empty for every other plugin."""
    if config.storage_plugin != "filesystem":
        return ""
    destination = config.storage_plugin_parameters.get("BackupDestPath", "")
    return f"{destination.rstrip('/')}/{config.profile_name}/{config.config_name}" if destination else ""


def schedules_of(actor: Actor, profile: str, config: str | None = None) -> tuple[ScheduleSummary, ...] | None:
    """The schedules of a configuration, or of all in the profile; None when Temporal does not tell."""
    if temporal_trouble():
        return None
    try:
        return async_to_sync(list_schedules)(actor, profile, config)
    except TemporalUnavailable:
        return None


def _manage(request: HtmxHttpRequest, actor: Actor, profile: str, config: str) -> HttpResponse:
    asked = request.POST.get("do", "")
    name = request.POST.get("name", "").strip()
    if asked == "rename":
        config_places.rename_config(actor, profile, config, name)
        return redirect("config", profile, name)
    if asked == "rename-policy":
        config_edits.rename_policy(actor, profile, config, request.POST.get("policy", ""), name)
        return redirect("config", profile, config)
    if asked == "duplicate":
        to_profile = request.POST.get("profile", "")
        with_schedules = "schedules" in request.POST
        config_places.duplicate_config(
            actor, profile, config, to_profile, name, with_schedules=with_schedules
        )
        return redirect("config", to_profile, name)
    if asked == "delete":
        config_places.delete_config(actor, profile, config, request.POST.get("confirmation", ""))
        return redirect("profile", profile)
    if asked in ("disable", "enable"):
        config_places.switch_config(actor, profile, config, disabled=asked == "disable")
        return redirect("config", profile, config)
    raise NotFound("A configuration can be renamed, duplicated, disabled, enabled or deleted.")


@require_safe
@answers_errors
def config_history(request: HtmxHttpRequest, profile: str, config: str) -> HttpResponse:
    """Show the versions of a configuration, each with what it changed."""
    return _history(request, profile, config)


@require_POST
@answers_errors
def go_back(request: HtmxHttpRequest, profile: str, config: str, number: int) -> HttpResponse:
    """Make a configuration what it was in a version; show the history again and say why when it cannot be.

    What policies that are gone then leave behind is told first, and is to be confirmed.
    """
    actor = actor_of(request.user)
    opened = _number(request.POST.get("opened", ""))
    now = config_edits.open_edit(actor, profile, config).configuration
    then = config_edits.configuration_at(actor, profile, config, number)
    try:
        done = saved_or_asked(
            partial(config_edits.go_back, actor, profile, config, number, opened),
            said_successors(request.POST, now, then),
            partial(gone_view, actor, profile, config, now, then, {}),
        )
    except (SettingsRefused, Outdated) as error:
        return _history(request, profile, config, error)
    if isinstance(done, GoneView):
        return _history(request, profile, config, asked=(number, done))
    return redirect("config-history", profile, config)


def _number(text: str) -> int:
    """The number in an address or a form, 0 where there is none."""
    return whole_number(text, 0)


def _history(
    request: HtmxHttpRequest,
    profile: str,
    config: str,
    refusal: FossulError | None = None,
    asked: tuple[int, GoneView] | None = None,
) -> HttpResponse:
    """The history; with ``refusal`` why it could not go back, with ``asked`` what to confirm before it goes
    back to that version.
    """
    actor = actor_of(request.user)
    page, version = (_number(request.GET.get(name, "")) for name in ("page", "version"))
    code, title = status_of(refusal) if refusal else (409 if asked else 200, "")
    context = {
        "config": catalog.get_config(actor, profile, config).summary,
        "history": versions.list_versions(actor, profile, config, page or 1, version),
        "asked": asked,
        "refusal": str(refusal or ""),
        "refusal_title": title,
        "now": timezone.now(),
    }
    return render(request, "workflows_app/config_history.html", context, status=code)
