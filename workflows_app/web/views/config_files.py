"""Import and export: configurations as files, down and up, what an upload would change shown first."""

import json

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_app.domain.errors import ConfigInvalid, FossulError, NotNow
from workflows_app.services.files import config_downloads, config_uploads
from workflows_app.services.files.config_uploads import ImportPlan, SentFile
from workflows_app.services.people.permissions import Actor, Right, actor_of
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of

PAGE = "workflows_app/config_files.html"


@require_safe
@answers_errors
def config_files(request: HtmxHttpRequest) -> HttpResponse:
    """Show what can be downloaded, and where files are uploaded."""
    return _page(request, actor_of(request.user))


@require_http_methods(["GET", "HEAD", "POST"])
@answers_errors
def download(request: HtmxHttpRequest) -> HttpResponseBase:
    """Download configurations as files; with their secrets only by POST."""
    given = request.POST if request.method == "POST" else request.GET
    profile, _, config = given.get("place", "").partition("/")
    found = config_downloads.download_configs(
        actor_of(request.user), profile, config, with_secrets="secrets" in request.POST
    )
    headers = {"Content-Disposition": f'attachment; filename="{found.name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(found.parts, content_type="application/zip", headers=headers)


@require_POST
@answers_errors
def plan(request: HtmxHttpRequest) -> HttpResponse:
    """Show what the uploaded files would change."""
    actor = actor_of(request.user)
    actor.require(Right.CONFIGURE)
    names = [request.POST.get(name, "").strip() for name in ("profile", "config")]
    try:
        found = config_uploads.plan_import(actor, _sent(request), *names)
    except ConfigInvalid as error:
        return _page(request, actor, refusal=error)
    return _page(request, actor, plan=found)


@require_POST
@answers_errors
def apply(request: HtmxHttpRequest) -> HttpResponse:
    """Take what was planned, and show what became of it; when it has to be looked at again, that."""
    actor, token = actor_of(request.user), request.POST.get("token", "")
    try:
        return _page(request, actor, plan=config_uploads.apply_import(actor, token), applied=True)
    except NotNow as error:
        refusal = error
    try:
        return _page(request, actor, plan=config_uploads.plan_again(actor, token), refusal=refusal)
    except NotNow:
        return _page(request, actor, refusal=refusal)


def _sent(request: HtmxHttpRequest) -> list[SentFile]:
    """The files of an upload; those of a folder with their paths in it, which browsers do not send.

    Raises ConfigInvalid for too much, before it is read.
    """
    files = [file for name in ("archive", "folder", "files") for file in request.FILES.getlist(name)]
    config_uploads.check_size(sum(file.size or 0 for file in files))
    try:
        paths = json.loads(request.POST.get("paths") or "[]")
    except (ValueError, RecursionError):
        paths = []
    if not (isinstance(paths, list) and len(paths) == len(files) and all(isinstance(p, str) for p in paths)):
        paths = [file.name or "" for file in files]
    return [SentFile(path, file.read()) for path, file in zip(paths, files, strict=True)]


def _page(
    request: HtmxHttpRequest,
    actor: Actor,
    *,
    plan: ImportPlan | None = None,
    refusal: FossulError | None = None,
    applied: bool = False,
) -> HttpResponse:
    code, title = status_of(refusal) if refusal else (200, "")
    context = {
        "places": config_downloads.list_places(actor),
        "plan": plan,
        "told": [file for file in plan.report.files if file.notes or file.refused] if plan else [],
        "applied": applied,
        "refusal": str(refusal or ""),
        "refusal_title": title,
        "typed": request.POST,
        "hours": config_uploads.LIFE_SECONDS // 3600,
    }
    if plan and plan.report.refused:
        code = 422
    return render(request, PAGE, context, status=code)
