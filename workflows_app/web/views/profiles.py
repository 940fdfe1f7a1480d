"""Profiles and their configurations; starting a backup of one."""

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from workflows_app.domain.errors import (
    ConfigInvalid,
    FossulError,
    NotNow,
    PlanRefused,
    RunAlreadyActive,
    TemporalUnavailable,
)
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.services.configurations import catalog, plugins
from workflows_app.services.editing import plans
from workflows_app.services.people.permissions import actor_of
from workflows_app.services.protection import protection, trends
from workflows_app.services.recording import recorder
from workflows_app.services.runs import runs, starts
from workflows_app.services.schedules.schedule_lists import KnownSchedules
from workflows_app.web.pages.config_views import plan_phases, setting_groups
from workflows_app.web.pages.protection_views import outlook_view
from workflows_app.web.pages.schedule_views import schedules_of
from workflows_app.web.pages.trend_views import trend_view
from workflows_app.web.runs.run_rows import run_row
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of

LAST_RUNS = 10


@require_safe
@answers_errors
def profile_list(request: HtmxHttpRequest) -> HttpResponse:
    """Show all profiles."""
    profiles = catalog.list_profiles(actor_of(request.user))
    return render(request, "workflows_app/profile_list.html", {"profiles": profiles})


@require_safe
@answers_errors
def profile_detail(request: HtmxHttpRequest, profile: str) -> HttpResponse:
    """Show a profile and its configurations."""
    found = catalog.get_profile(actor_of(request.user), profile)
    return render(request, "workflows_app/profile_detail.html", {"profile": found})


@require_safe
@answers_errors
def config_detail(request: HtmxHttpRequest, profile: str, config: str) -> HttpResponse:
    """Show a configuration: policies, plan, settings, last runs."""
    return _config_page(request, profile, config)


@require_POST
@answers_errors
def start_backup(request: HtmxHttpRequest, profile: str, config: str, policy: str) -> HttpResponse:
    """Start a backup and go to its run; when it cannot start, show the configuration again and say why."""
    try:
        number = async_to_sync(starts.start_backup)(actor_of(request.user), profile, config, policy)
    except (RunAlreadyActive, ConfigInvalid, NotNow, PlanRefused, TemporalUnavailable) as error:
        return _config_page(request, profile, config, refusal=error)
    if request.htmx:
        return HttpResponseClientRedirect(reverse("run", args=[number]))
    return redirect("run", number)


def _config_page(
    request: HtmxHttpRequest, profile: str, config: str, refusal: FossulError | None = None
) -> HttpResponse:
    recorder.refresh()
    actor = actor_of(request.user)
    detail = catalog.get_config(actor, profile, config)
    last = runs.list_runs(actor, profile=profile, config=config, per_page=LAST_RUNS)
    now = timezone.now()
    code, title = status_of(refusal) if refusal else (200, "")
    planned = plans.preview(detail)
    trend = trends.get_trend(actor, profile, config, now)
    found = schedules_of(actor, profile, config)
    known = KnownSchedules({(profile, config): found.schedules}, found.trouble)
    outlooks = protection.list_outlooks(actor, [detail.summary], {(profile, config): trend}, known, now)
    running = next((run for run in last.runs if not run.state.closed), None)
    context = {
        "config": detail.summary,
        "version": detail.version,
        "unchanged": "unchanged" in request.GET,
        "phases": plan_phases(planned.plan),
        "plan": planned.plan,
        "problems": planned.problems,
        "own_plan": detail.layout != PlanLayout(),
        "running": running,
        "settings": setting_groups(detail.config, plugins.declared_secrets()),
        "rows": [run_row(run, now) for run in last.runs],
        "total": last.total,
        "found": found,
        "outlook": outlook_view(outlooks[profile, config]),
        "trend": trend_view(profile, config, trend),
        "refusal": refusal,
        "refusal_title": title,
        "holder": refusal.run if isinstance(refusal, RunAlreadyActive) else None,
        "now": now,
    }
    return render(request, "workflows_app/config_detail.html", context, status=code)
