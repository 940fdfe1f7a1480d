"""The files in a restore point, folder by folder or searched."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote_to_bytes

from asgiref.sync import async_to_sync
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.file_listings import LONGEST_PAGE, LONGEST_SEARCH, FileEntry, FileQuery
from workflows_app.domain.retention.keep_rules import moment_of
from workflows_app.domain.runs.restores import is_covered
from workflows_app.services.configurations import catalog, plugins
from workflows_app.services.people.permissions import Right, actor_of
from workflows_app.services.points import restore_points
from workflows_app.web.pages.chosen_files import Chosen, carried, read_chosen
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors, status_of
from workflows_app.web.words.numbers import whole_number

LAST_PAGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Crumb:
    """A folder on the way to the one that is shown: its name as text, and the query of its listing."""

    name: str
    query: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as the page shows it: by its name in its folder, or by its path where a search found it.

    ``query`` is that of its listing, should it be a folder. ``chosen`` when it is ticked, ``covered`` when a
    folder that it is in is.
    """

    entry: FileEntry
    name: str
    query: str
    changed: datetime
    chosen: bool
    covered: bool


@require_http_methods(["GET", "HEAD", "POST"])
@answers_errors
def point_files(request: HtmxHttpRequest, profile: str, config: str, backup: str) -> HttpResponse:
    """Show a page of the files in a restore point; who may restore can choose some of them on the way.

    While files are chosen the way from page to page is a form that carries them (``web.chosen_files``).
    """
    actor = actor_of(request.user)
    detail = catalog.get_config(actor, profile, config)
    given = _asked(request)
    number = _page(given.get("page", ""))
    folder, search = given.get("in", ""), given.get("q", "").strip()[:LONGEST_SEARCH]
    query = FileQuery(folder=folder, search=search, offset=(number - 1) * LONGEST_PAGE, limit=LONGEST_PAGE)
    listing = async_to_sync(restore_points.browse)(actor, profile, config, backup, query)
    chosen, refusal = _chosen(request)
    known = frozenset(chosen.keys)
    whole = bool(search) or not folder
    pages = max(1, -(-listing.total // LONGEST_PAGE))
    address = _address(folder, search)
    context = {
        "config": detail.summary,
        "name": backup,
        "listing": listing,
        "rows": [_row(entry, known, whole=whole) for entry in listing.entries],
        "may_choose": actor.may(Right.OPERATE) and plugins.restores_files(actor, detail.config),
        "chosen": chosen,
        "refusal": refusal,
        "crumbs": _crumbs(folder),
        "folder": folder,
        "search": search,
        "number": number,
        "pages": pages,
        "this": f"{address}&page={number}",
        "before": f"{address}&page={number - 1}" if number > 1 else "",
        "after": f"{address}&page={number + 1}" if number < pages else "",
    }
    code = status_of(refusal)[0] if refusal else 200
    return render(request, "workflows_app/restore_point_files.html", context, status=code)


def _asked(request: HtmxHttpRequest) -> QueryDict:
    """The listing that is asked for: by the address, or by the button of the form that was pressed."""
    if request.method != "POST":
        return request.GET
    if "search" in request.POST:
        asked = QueryDict(mutable=True)
        asked.update({"in": request.POST.get("in", ""), "q": request.POST.get("q", "")})
        return asked
    return QueryDict(request.POST.get("go", request.POST.get("here", "")))


def _chosen(request: HtmxHttpRequest) -> tuple[Chosen, ConfigInvalid | None]:
    """What is chosen, and why what was ticked last is not."""
    try:
        return read_chosen(request.POST), None
    except ConfigInvalid as error:
        return carried(request.POST), error


def _row(entry: FileEntry, chosen: frozenset[str], *, whole: bool) -> FileRow:
    return FileRow(
        entry=entry,
        name=entry.path if whole else entry.path.rpartition("/")[2],
        query=_address(entry.key, ""),
        changed=moment_of(entry.mtime),
        chosen=entry.key in chosen,
        covered=is_covered(entry.key, chosen),
    )


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
        crumbs.append(Crumb(part.decode(errors="backslashreplace"), _address(key, "")))
    return crumbs
