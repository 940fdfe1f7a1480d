"""The list of runs."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import actor_of
from workflows_app.services.recording import recorder
from workflows_app.services.runs import runs
from workflows_app.services.runs.run_changes import add_last_lines
from workflows_app.services.runs.run_search import RunQuery, find_runs
from workflows_app.web.runs.list_status import list_status
from workflows_app.web.runs.run_filters import SORTS, TYPES, asked_runs, query_string, sort_word
from workflows_app.web.runs.run_rows import run_row
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors
from workflows_app.web.words.numbers import whole_number
from workflows_app.web.words.statuses import RUN_STATUS


@require_safe
@answers_errors
def run_list(request: HtmxHttpRequest) -> HttpResponse:
    """Show the runs that fit the filter in the URL, a page of them."""
    recorder.refresh()
    actor = actor_of(request.user)
    query, problems = asked_runs(request.GET)
    newest = runs.newest_number(actor)
    found = find_runs(actor, query, whole_number(request.GET.get("page", "1"), 1, digits=6))
    configs = catalog.list_configs(actor)
    fitting = [c for c in configs if query.profile in ("", c.profile)]
    now = timezone.now()
    context = {
        "page": found,
        "rows": [run_row(news.run, now, news.said) for news in add_last_lines(found.runs)],
        "newest": newest,
        "status": list_status(actor),
        "problems": problems,
        "query": query,
        "profiles": _choices((c.profile for c in configs), query.profile),
        "configs": _choices((c.name for c in fitting), query.config),
        "policies": _choices((p.name for c in fitting for p in c.policies), query.policy),
        "states": [(known.value, status.word) for known, status in RUN_STATUS.items()],
        "types": TYPES,
        "sorts": [(word, name) for word, (name, _, _) in SORTS.items()],
        "sort": sort_word(query),
        "filtered": query != RunQuery(order=query.order, ascending=query.ascending),
        "previous": query_string(query, found.page - 1),
        "next": query_string(query, found.page + 1),
    }
    return render(request, "workflows_app/run_list.html", context)


def _choices(names: Iterable[str], chosen: str) -> list[str]:
    """The names to choose from, with the one that is chosen whether it exists or not."""
    return sorted({*names, chosen} - {""})
