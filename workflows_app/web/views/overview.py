"""The overview: what runs, what needs a person, and how each configuration is."""

from collections.abc import Iterable
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from workflows_app.domain.progress import RunState
from workflows_app.services import catalog, health, runs
from workflows_app.services.catalog import ConfigSummary
from workflows_app.services.permissions import Actor, actor_of
from workflows_app.services.runs import RunDetail, RunSummary
from workflows_app.web.presenters import RunRow, run_row
from workflows_app.web.views.errors import HtmxHttpRequest, answers_errors

LAST_RUNS = 10
OPEN_RUNS = 20
FAILED = {RunState.ERROR, RunState.TERMINATED, RunState.TIMED_OUT, RunState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """A configuration with its last run, None when it has never run."""

    config: ConfigSummary
    last: RunRow | None


@require_safe
@answers_errors
def overview(request: HtmxHttpRequest) -> HttpResponse:
    """Show what runs now, what needs a person, each configuration and the last runs."""
    actor = actor_of(request.user)
    now = timezone.now()
    configs = catalog.list_configs(actor)
    latest = [_last_run(actor, config) for config in configs]
    running = runs.list_runs(actor, open_only=True, per_page=OPEN_RUNS)
    last = runs.list_runs(actor, per_page=LAST_RUNS)
    frozen = _frozen(actor, [*running.runs, *(run for run in latest if run)])

    def row(run: RunSummary) -> RunRow:
        return run_row(run, now, frozen=run.number in frozen)

    rows = [ConfigRow(config, row(run) if run else None) for config, run in zip(configs, latest, strict=True)]
    context = {
        "now": now,
        "configs": rows,
        "running": [row(run) for run in running.runs],
        "running_total": running.total,
        "frozen": [run for run in frozen.values() if run.progress.state.closed or run.progress.thaw_failed],
        "failed": [r.last for r in rows if r.last and r.last.run.state in FAILED],
        "no_worker": _no_worker(),
        "last": [row(run) for run in last.runs],
    }
    return render(request, "workflows_app/overview.html", context)


def _last_run(actor: Actor, config: ConfigSummary) -> RunSummary | None:
    found = runs.list_runs(actor, profile=config.profile, config=config.name, per_page=1).runs
    return found[0] if found else None


def _frozen(actor: Actor, suspects: Iterable[RunSummary]) -> dict[int, RunDetail]:
    """Those whose application stands still now, by number; a run that is complete has thawed everything."""
    numbers = {run.number for run in suspects if run.state is not RunState.COMPLETED}
    details = {number: runs.get_run(actor, number) for number in sorted(numbers, reverse=True)}
    return {number: run for number, run in details.items() if run.progress.frozen}


def _no_worker() -> bool:
    """Whether Temporal answers, and says that no worker polls."""
    if health.temporal_trouble():
        return False
    found = async_to_sync(health.check)()
    return found.temporal == "ok" and found.workers == 0
