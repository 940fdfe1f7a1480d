"""Workers and plugins: who does the work, and with what."""

from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from workflows_app.domain.config_files.configuration import Family
from workflows_app.services.configurations import plugins
from workflows_app.services.configurations.plugins import PublishedPlugin
from workflows_app.services.people.permissions import actor_of
from workflows_app.services.temporal import workers
from workflows_app.services.temporal.workers import WorkersSeen
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors

_TITLES = {
    Family.APP: "Application plugins",
    Family.STORAGE: "Storage plugins",
    Family.ARCHIVE: "Archive plugins",
}


@dataclass(frozen=True, slots=True)
class _Group:
    """The plugins of one family."""

    title: str
    plugins: tuple[PublishedPlugin, ...]


@require_safe
@answers_errors
def worker_list(request: HtmxHttpRequest) -> HttpResponse:
    """Show the workers that poll, and what their plugins are and want to know."""
    actor = actor_of(request.user)
    known = plugins.published(actor)
    seen: WorkersSeen = async_to_sync(workers.seen)(actor)
    groups = [_Group(_TITLES[family], known.of(family)) for family in Family]
    return render(request, "workflows_app/workers.html", {"seen": seen, "groups": groups})
