"""Which partial shows which change of a list: the overview's sections, rows of runs, how all runs are."""

from datetime import datetime

from django.template.loader import render_to_string
from django.utils import timezone

from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.runs.run_changes import RunNews
from workflows_app.services.runs.run_search import RunQuery
from workflows_app.web.live.page_parts import Section, section
from workflows_app.web.pages.overview_page import overview_context
from workflows_app.web.runs.list_status import list_status
from workflows_app.web.runs.run_filters import query_string
from workflows_app.web.runs.run_rows import run_row as view_of

OVERVIEW = "workflows_app/overview.html"
SECTIONS = ("part-needs", "part-now", "part-configs", "part-last")


def overview(actor: Actor) -> tuple[Section, ...]:
    """The sections of the overview for ``actor``. Raises NotAllowed."""
    # Without a token: one rendering is for many people, and whoever submits a form adds theirs (lists.js).
    context = overview_context(actor, timezone.now()) | {
        "may_operate": actor.may(Right.OPERATE),
        "may_configure": actor.may(Right.CONFIGURE),
    }
    return tuple(section(name, render_to_string(f"{OVERVIEW}#{name}", context).strip()) for name in SECTIONS)


def status(actor: Actor) -> str:
    """What a page's title and icon are made of. Raises NotAllowed."""
    return render_to_string("workflows_app/_list_status.html#list-status", {"status": list_status(actor)})


def run_row(news: RunNews, now: datetime) -> str:
    """One row of the list of runs."""
    row = view_of(news.run, now, news.said)
    return render_to_string("workflows_app/_runs.html#run-row", {"row": row})


def newer_runs(count: int, query: RunQuery) -> str:
    """The bar that offers to show ``count`` runs that came since the list was made."""
    context = {"newer_count": count, "address": query_string(query)}
    return render_to_string("workflows_app/run_list.html#newer-runs", context)
