"""What the overview shows: what runs, what needs a person, and how each configuration is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from asgiref.sync import async_to_sync

from workflows_app.domain.runs.trends import ConfigTrend
from workflows_app.services.configurations import catalog
from workflows_app.services.configurations.catalog import ConfigSummary
from workflows_app.services.people.permissions import Actor
from workflows_app.services.protection import protection, trends
from workflows_app.services.protection.protection import Outlook
from workflows_app.services.protection.trends import Place
from workflows_app.services.runs import runs
from workflows_app.services.runs.run_changes import add_last_lines
from workflows_app.services.runs.runs import RunSummary
from workflows_app.services.schedules import schedule_lists
from workflows_app.services.temporal import health
from workflows_app.web.pages.protection_views import OutlookView, outlook_view
from workflows_app.web.pages.trend_views import TrendCell, Unusual, trend_cell, unusual
from workflows_app.web.runs.list_status import FAILED, status_of_runs
from workflows_app.web.runs.run_rows import RunRow, run_row

LAST_RUNS = 10
OPEN_RUNS = 20


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """A configuration with its last run, None when it has never run.

    ``outlook`` is how protected it is, and its next run; ``unusual`` is what is not as usual about its last
    completed backup.
    """

    config: ConfigSummary
    last: RunRow | None
    outlook: OutlookView
    trend: TrendCell
    unusual: Unusual | None

    @property
    def unprotected(self) -> bool:
        """Whether it is not protected any more and nothing else on the page tells a person to look."""
        failed = self.last is not None and self.last.run.state in FAILED
        return self.outlook.protection.alarms and not failed


def overview_context(actor: Actor, now: datetime) -> dict[str, object]:
    """Answer what the overview's template shows to ``actor``. Raises NotAllowed."""
    configs = catalog.list_configs(actor)
    latest = runs.latest_runs(actor)
    trend_of = trends.list_trends(actor, now)
    running = runs.list_runs(actor, open_only=True, per_page=OPEN_RUNS)
    last = runs.list_runs(actor, per_page=LAST_RUNS)
    frozen = {run.number: run for run in (*running.runs, *latest.values()) if run.frozen_since}.values()
    known = schedule_lists.known_schedules(actor)
    outlooks = protection.list_outlooks(actor, configs, trend_of, known, now)
    rows = [_config_row(config, latest, trend_of, outlooks, now) for config in configs]
    return {
        "now": now,
        "configs": rows,
        "running": [run_row(news.run, now, news.said) for news in add_last_lines(running.runs)],
        "running_total": running.total,
        "frozen": [run for run in frozen if run.state.closed or run.thaw_failed],
        "waiting": [run for run in running.runs if run.waits],
        "failed": [r.last for r in rows if r.last and r.last.run.state in FAILED],
        "unprotected": [row for row in rows if row.unprotected],
        "unusual": [row for row in rows if row.unusual],
        "overdue": schedule_lists.overdue(actor),
        "no_worker": _no_worker(),
        "last": [run_row(news.run, now, news.said) for news in add_last_lines(last.runs)],
        "status": status_of_runs(latest.values(), running.total),
    }


def _config_row(
    config: ConfigSummary,
    latest: Mapping[Place, RunSummary],
    trend_of: Mapping[Place, ConfigTrend],
    outlooks: Mapping[Place, Outlook],
    now: datetime,
) -> ConfigRow:
    place = (config.profile, config.name)
    last = latest.get(place)
    trend = trend_of.get(place, ConfigTrend((), ()))
    return ConfigRow(
        config=config,
        last=run_row(last, now) if last else None,
        outlook=outlook_view(outlooks[place]),
        trend=trend_cell(trend),
        unusual=unusual(trend),
    )


def _no_worker() -> bool:
    """Whether Temporal answers, and says that no worker polls."""
    if health.temporal_trouble():
        return False
    found = async_to_sync(health.check)()
    return found.temporal == "ok" and found.workers == 0
