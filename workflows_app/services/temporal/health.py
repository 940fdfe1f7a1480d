"""Is everything there: the database, Temporal, a worker."""

import asyncio
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection

from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.temporal import workers
from workflows_app.services.temporal.client import RPC_TIMEOUT, temporal
from workflows_app.services.temporal.throttle import Throttled


@dataclass(frozen=True, slots=True)
class Health:
    """What was found.

    ``workers`` counts those seen polling in the last minute, None when nobody could tell.
    """

    database: str
    temporal: str
    workers: int | None

    @property
    def ok(self) -> bool:
        """Whether runs can be started and will be worked on."""
        return self.database == "ok" and self.temporal == "ok" and bool(self.workers)

    def report(self) -> dict[str, object]:
        """Answer it as JSON for whoever watches the dashboard."""
        return {
            "status": "ok" if self.ok else "unavailable",
            "database": self.database,
            "temporal": self.temporal,
            "workers": self.workers,
        }


async def check() -> Health:
    """Ask the database and Temporal. Never raises; details of errors stay in the log."""
    database, (temporal, polling) = await asyncio.gather(_database(), _temporal())
    return Health(database=database, temporal=temporal, workers=polling)


async def _temporal() -> tuple[str, int | None]:
    try:
        pollers = await workers.pollers(settings.TEMPORAL_TASK_QUEUE)
    except TemporalUnavailable:
        return "unavailable", None
    return "ok", sum(poller.fresh for poller in pollers)


@sync_to_async
def _database() -> str:
    drop_broken_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unavailable"
    return "ok"


async def ask_temporal() -> str:
    """Answer, in words, that Temporal does not answer now; ``""`` when it does."""
    try:
        async with temporal() as client:
            await client.service_client.check_health(retry=False, timeout=RPC_TIMEOUT)
    except TemporalUnavailable as error:
        return str(error)
    return ""


_probe = Throttled(ask_temporal, first="", late="Temporal does not answer.", every=2.0, patience=1.0)


def temporal_trouble() -> str:
    """Answer, in words, that Temporal does not answer; ``""`` when it does.

    Looks at most every two seconds and then waits at most one. For synchronous code.
    """
    return _probe.get()
