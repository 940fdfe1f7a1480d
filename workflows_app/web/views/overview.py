"""The overview: what runs, what needs a person, and how each configuration is."""

from dataclasses import dataclass
from datetime import datetime

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from workflows_app.domain.states import RunState
from workflows_app.services import catalog, health, recorder, runs
from workflows_app.services.catalog import ConfigSummary
from workflows_app.services.permissions import actor_of
from workflows_app.services.runs import RunSummary
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
    recorder.refresh()
    actor = actor_of(request.user)
    now = timezone.now()
    configs = catalog.list_configs(actor)
    latest = runs.latest_runs(actor)
    running = runs.list_runs(actor, open_only=True, per_page=OPEN_RUNS)
    last = runs.list_runs(actor, per_page=LAST_RUNS)
    frozen = {run.number: run for run in (*running.runs, *latest.values()) if run.frozen_since}.values()
    rows = [_config_row(config, latest.get((config.profile, config.name)), now) for config in configs]
    context = {
        "now": now,
        "configs": rows,
        "running": [run_row(run, now) for run in running.runs],
        "running_total": running.total,
        "frozen": [run for run in frozen if run.state.closed or run.thaw_failed],
        "waiting": [run for run in running.runs if run.waits],
        "failed": [r.last for r in rows if r.last and r.last.run.state in FAILED],
        "no_worker": _no_worker(),
        "last": [run_row(run, now) for run in last.runs],
    }
    return render(request, "workflows_app/overview.html", context)


def _config_row(config: ConfigSummary, last: RunSummary | None, now: datetime) -> ConfigRow:
    return ConfigRow(config, run_row(last, now) if last else None)


def _no_worker() -> bool:
    """Whether Temporal answers, and says that no worker polls."""
    if health.temporal_trouble():
        return False
    found = async_to_sync(health.check)()
    return found.temporal == "ok" and found.workers == 0
