"""What the tests of schedules share: keys, timings, and what became of what a schedule expected."""

from datetime import UTC, datetime

from asgiref.sync import sync_to_async

from tests.conftest import eventually
from tests.factories import ADMIN, OPERATOR, make_catalog
from workflows_app.domain.schedules.schedules import ScheduleKey, Timing, parse_timing
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Run
from workflows_app.services.schedules import schedules


def timing(cron: str = "0 3 1 1 *", zone: str = "UTC", **changes: str) -> Timing:
    """By default it is due once a year, so not while a test runs."""
    given = {"jitter": "", "catch_up": "1h", "when_busy": "", **changes}
    return parse_timing(cron, zone, **given, now=datetime.now(UTC))


def key_of(config: BackupConfig, name: str = "nightly", policy: str = "daily") -> ScheduleKey:
    return ScheduleKey(config.profile.name, config.name, policy, name)


@sync_to_async
def stored_config(**settings: object) -> BackupConfig:
    return make_catalog(**settings)


async def scheduled(config: BackupConfig | None = None, **changes: str) -> ScheduleKey:
    """A schedule of a new configuration with every step."""
    key = key_of(config or await stored_config())
    await schedules.create_schedule(ADMIN, key, timing(**changes))
    return key


async def expected_runs(key: ScheduleKey, count: int = 1, timeout: float = 30) -> list[Run]:
    """Wait until ``count`` expected runs have rows that are closed; answer them, the first one first."""

    async def closed() -> list[Run] | None:
        found = Run.objects.filter(
            profile=key.profile, config=key.config, requested_by=f"schedule {key.name}"
        )
        rows = [run async for run in found.order_by("pk")]
        done = [run for run in rows if RunState(run.status).closed]
        return rows if len(done) >= count else None

    return await eventually(closed, timeout)


__all__ = ["OPERATOR", "expected_runs", "key_of", "scheduled", "stored_config", "timing"]
