"""The files in a restore point, folder by folder or searched."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote_to_bytes

from asgiref.sync import async_to_sync
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from workflows_app.domain.file_listings import LONGEST_PAGE, LONGEST_SEARCH, FileEntry, FileQuery
from workflows_app.domain.keep_rules import moment_of
from workflows_app.services import catalog, restore_points
from workflows_app.services.permissions import actor_of
from workflows_app.web.numbers import whole_number
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors

LAST_PAGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Crumb:
    """A folder on the way to the one that is shown: its name as text, and its key."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as the page shows it: by its name in its folder, or by its path where a search found it."""

    entry: FileEntry
    name: str
    changed: datetime


@require_safe
@answers_errors
def point_files(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Show a page of the files in a restore point."""
    actor = actor_of(request.user)
    number = _page(request.GET.get("page", ""))
    folder, search = request.GET.get("in", ""), request.GET.get("q", "").strip()[:LONGEST_SEARCH]
    query = FileQuery(folder=folder, search=search, offset=(number - 1) * LONGEST_PAGE, limit=LONGEST_PAGE)
    listing = async_to_sync(restore_points.browse)(actor, profile, config, backup, query)
    context = {
        "config": catalog.get_config(actor, profile, config).summary,
        "name": backup,
        "listing": listing,
        "rows": [_row(entry, whole=bool(search) or not folder) for entry in listing.entries],
        "crumbs": _crumbs(folder),
        "folder": folder,
        "search": search,
        "number": number,
        "pages": max(1, -(-listing.total // LONGEST_PAGE)),
        "address": _address(folder, search),
    }
    return render(request, "workflows_app/restore_point_files.html", context)


def _row(entry: FileEntry, *, whole: bool) -> FileRow:
    return FileRow(entry, entry.path if whole else entry.path.rpartition("/")[2], moment_of(entry.mtime))


def _page(text: str) -> int:
    """The number of a page; 1 for nonsense."""
    return min(max(whole_number(text, 1, digits=7), 1), LAST_PAGE)


def _address(folder: str, search: str) -> str:
    """The query of this listing, to which a page's number can be added."""
    query = QueryDict(mutable=True)
    query.update({key: value for key, value in (("in", folder), ("q", search)) if value})
    return query.urlencode()


def _crumbs(folder: str) -> list[Crumb]:
    crumbs: list[Crumb] = []
    parts = [part for part in unquote_to_bytes(folder).split(b"/") if part]
    for number, part in enumerate(parts, 1):
        key = quote(b"/" + b"/".join(parts[:number]))
        crumbs.append(Crumb(part.decode(errors="backslashreplace"), key))
    return crumbs
