"""Is everything there: the database, Temporal, a worker."""

import asyncio
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from temporalio.service import RPCError

from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.services import workers
from workflows_app.services.client import temporal

# A poll waits up to a minute for work, so a worker that lives has polled within that (Temporal docs).
POLL_FRESH = timedelta(seconds=70)
TROUBLE_SECONDS = 2.0
PROBE_SECONDS = 1.0


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
    except (TemporalUnavailable, RPCError):
        return "unavailable", None
    fresh = datetime.now(UTC) - POLL_FRESH
    return "ok", sum(poller.last_poll >= fresh for poller in pollers)


@sync_to_async
def _database() -> str:
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unavailable"
    return "ok"


class _Probe:
    """What the last look at Temporal found, shared by all requests of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._trouble = ""

    def trouble(self) -> str:
        if time.monotonic() - self._looked > TROUBLE_SECONDS and self._lock.acquire(blocking=False):
            try:
                self._trouble = async_to_sync(self._look)()
                self._looked = time.monotonic()
            finally:
                self._lock.release()
        return self._trouble

    async def _look(self) -> str:
        try:
            async with asyncio.timeout(PROBE_SECONDS), temporal() as client:
                await client.service_client.check_health(
                    retry=False, timeout=timedelta(seconds=PROBE_SECONDS)
                )
        except TemporalUnavailable as error:
            return str(error)
        except (TimeoutError, RPCError):
            return f"Temporal at {settings.TEMPORAL_ADDRESS} does not answer."
        return ""


_probe = _Probe()


def temporal_trouble() -> str:
    """Answer, in words, that Temporal does not answer; ``""`` when it does.

    Looks at most every two seconds and then waits at most one. For synchronous code.
    """
    return _probe.trouble()
