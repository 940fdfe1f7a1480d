"""Schedules: listed, made, changed, and used. What is typed is answered with the next times."""

from collections.abc import Callable, Mapping

from asgiref.sync import async_to_sync
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from workflows_app.domain.config import WhenBusy
from workflows_app.domain.errors import ConfigInvalid, FossulError, NotFound, NotNow
from workflows_app.domain.schedules.schedules import ScheduleKey, parse_moment
from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import Actor, Right, actor_of
from workflows_app.services.schedules import schedule_lists, schedules
from workflows_app.web.pages.schedule_views import (
    ScheduleForm,
    due_views,
    expected_row,
    form_of,
    form_of_timing,
    new_form,
    preview_of,
    schedules_of,
    zone_names,
)
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of

EDITOR = "workflows_app/schedule_edit.html"

_DONE = {
    "run": "It was asked to run now. Its run is listed below in a moment.",
    "backfill": "Its runs follow each other; they are listed below as they come.",
}


@require_safe
@answers_errors
def schedule_list(request: HtmxHttpRequest) -> HttpResponse:
    """Show all schedules."""
    actor = actor_of(request.user)
    context = {"found": schedules_of(actor), "overdue": schedule_lists.overdue(actor)}
    return render(request, "workflows_app/schedule_list.html", context)


@require_http_methods(["GET", "POST"])
@answers_errors
def new_schedule(request: HtmxHttpRequest, profile: str, config: str) -> HttpResponse:
    """Show an empty form and take it; with ``check`` only say when it would be due."""
    actor = actor_of(request.user)
    actor.require(Right.CONFIGURE)
    summary = catalog.get_config(actor, profile, config).summary
    if summary.disabled:
        raise NotNow(f"{profile}/{config} is disabled: enable it before you schedule its backups.")
    if not summary.policies:
        raise NotNow(f"{profile}/{config} has no policy yet: give it one before you schedule its backups.")
    context = {"profile": profile, "config": config, "policies": [p.name for p in summary.policies]}
    if request.method == "GET":
        return _editor(request, new_form(request.GET.get("policy", "")), context)
    form = form_of(request.POST)
    key = ScheduleKey(profile, config, form.values["policy"], form.values["name"].strip())
    try:
        timing = form.timing()
        if "check" not in request.POST:
            async_to_sync(schedules.create_schedule)(actor, key, timing)
            return _to_schedule(key)
    except ConfigInvalid as error:
        form = form.refused(error)
    return _editor(request, form, context)


@require_http_methods(["GET", "POST"])
@answers_errors
def edit_schedule(
    request: HtmxHttpRequest, profile: str, config: str, policy: str, name: str
) -> HttpResponse:
    """Show the form of a schedule and take it; with ``check`` only say when it would be due."""
    actor = actor_of(request.user)
    actor.require(Right.CONFIGURE)
    key = ScheduleKey(profile, config, policy, name)
    context = {"profile": profile, "config": config, "key": key}
    if request.method == "GET":
        found = async_to_sync(schedule_lists.get_schedule)(actor, key)
        return _editor(request, form_of_timing(found.timing), context)
    form = form_of(request.POST)
    try:
        timing = form.timing()
        if "check" not in request.POST:
            async_to_sync(schedules.change_schedule)(actor, key, timing)
            return _to_schedule(key)
    except ConfigInvalid as error:
        form = form.refused(error)
    return _editor(request, form, context)


def _editor(request: HtmxHttpRequest, form: ScheduleForm, context: Mapping[str, object]) -> HttpResponse:
    try:
        preview = preview_of(form.timing())
    except ConfigInvalid as error:
        preview, form = None, form.refused(error)
    refused = form.errors and request.method == "POST" and "check" not in request.POST
    shown = {"form": form, "preview": preview, "zones": zone_names(), "busy_choices": list(WhenBusy)}
    template = f"{EDITOR}#preview" if request.htmx else EDITOR
    return render(request, template, {**context, **shown}, status=422 if refused else 200)


@require_http_methods(["GET", "POST"])
@answers_errors
def schedule_detail(
    request: HtmxHttpRequest, profile: str, config: str, policy: str, name: str
) -> HttpResponse:
    """Show a schedule, and do with it what is posted."""
    actor = actor_of(request.user)
    key = ScheduleKey(profile, config, policy, name)
    if request.method == "GET":
        return _detail(request, actor, key)
    do = request.POST.get("do", "")
    if do not in _USES:
        raise NotFound(f"There is nothing to do with a schedule that is called {do!r}.")
    try:
        _USES[do](actor, key, request.POST)
    except (ConfigInvalid, NotNow) as error:
        return _detail(request, actor, key, error)
    if do == "delete":
        return redirect("config", profile, config)
    return _to_schedule(key, do if do in _DONE else "")


def _detail(
    request: HtmxHttpRequest, actor: Actor, key: ScheduleKey, refusal: FossulError | None = None
) -> HttpResponse:
    found = async_to_sync(schedule_lists.get_schedule)(actor, key)
    zone = found.timing.zone
    context = {
        "key": key,
        "schedule": found,
        "next": due_views(found.next_times, zone),
        "last": [expected_row(expected, zone) for expected in found.last],
        "done": _DONE.get(request.GET.get("done", ""), ""),
        "refusal": str(refusal) if refusal else "",
        "typed": request.POST,
    }
    status = status_of(refusal)[0] if refusal else 200
    return render(request, "workflows_app/schedule_detail.html", context, status=status)


def _pause(actor: Actor, key: ScheduleKey, posted: QueryDict) -> None:
    async_to_sync(schedules.pause_schedule)(actor, key, posted.get("note", ""))


def _resume(actor: Actor, key: ScheduleKey, posted: QueryDict) -> None:
    async_to_sync(schedules.resume_schedule)(actor, key)


def _run(actor: Actor, key: ScheduleKey, posted: QueryDict) -> None:
    async_to_sync(schedules.run_now)(actor, key)


def _backfill(actor: Actor, key: ScheduleKey, posted: QueryDict) -> None:
    actor.require(Right.OPERATE)
    zone = async_to_sync(schedule_lists.get_schedule)(actor, key).timing.zone
    begin = parse_moment("begin", posted.get("begin", ""), zone)
    end = parse_moment("end", posted.get("end", ""), zone)
    async_to_sync(schedules.backfill_schedule)(actor, key, begin, end)


def _delete(actor: Actor, key: ScheduleKey, posted: QueryDict) -> None:
    async_to_sync(schedules.delete_schedule)(actor, key, posted.get("typed", ""))


_USES: dict[str, Callable[[Actor, ScheduleKey, QueryDict], None]] = {
    "pause": _pause,
    "resume": _resume,
    "run": _run,
    "backfill": _backfill,
    "delete": _delete,
}


def _to_schedule(key: ScheduleKey, done: str = "") -> HttpResponse:
    address = reverse("schedule", args=[key.profile, key.config, key.policy, key.name])
    return redirect(f"{address}?done={done}" if done else address)
