"""Tells people and other systems what happens: looks for what is to be told, and sends what was written down.

It lives in the worker's process, beside the recorder, and touches no run: a dead mail server delays nothing
but mails. Any number of them may be at work. One at a time looks (``NotifierTurn``), and writes down together
with what it has found what is to be sent; each delivery is sent by one of them, and again by another if that
one dies (ADR 0011).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.db import DatabaseError, transaction

from workflows_app.domain.errors import TemporalUnavailable
from workflows_app.domain.notices.channels import HEARTBEAT
from workflows_app.domain.notices.incidents import IncidentKind
from workflows_app.domain.notices.notices import Notice, NoticeEvent
from workflows_app.domain.notices.redelivery import NotSent
from workflows_app.models import NotifierTurn
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.notices.audiences import Audience, read_audiences
from workflows_app.services.notices.deliveries import (
    Claimed,
    channels_with_due,
    claim_next,
    enqueue,
    forget_old,
    record_failure,
    record_sent,
)
from workflows_app.services.notices.digests import any_due, settle_digests
from workflows_app.services.notices.incident_facts import (
    RECORDED,
    Surroundings,
    look_around,
    recorded_facts,
    with_surroundings,
)
from workflows_app.services.notices.incidents import settle_incidents
from workflows_app.services.notices.run_notices import settle_runs
from workflows_app.services.notices.senders import send

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
LOOK_SECONDS = 5.0
LOOK_AROUND_SECONDS = 60.0
"""Also how long after its start Temporal is first asked: what was late may be taken up meanwhile."""
TURN = timedelta(seconds=30)
HEARTBEAT_SECONDS = 300
SENDING_AT_ONCE = 8


class Notifier:
    """Looks and sends until it is cancelled."""

    def __init__(self, sends: Callable[[Claimed], None] | None = None) -> None:
        self._name = str(uuid4())
        self._sends = sends or send
        self._sending: dict[int, asyncio.Task[None]] = {}
        # Of its own: nothing else, not even the end of the worker, waits for a server that does not answer.
        self._threads = ThreadPoolExecutor(SENDING_AT_ONCE, thread_name_prefix="notice")
        self._look_around_at = time.monotonic() + LOOK_AROUND_SECONDS

    async def run(self) -> None:
        """Look and send, whatever goes wrong: a notifier that has died tells nobody."""
        look_at = 0.0
        try:
            while True:
                try:
                    if time.monotonic() >= look_at:
                        look_at = time.monotonic() + LOOK_SECONDS
                        await self.look()
                    await self._send_due()
                except DatabaseError as error:
                    logger.info("Notices wait for the database: %s", error)
                except Exception:
                    logger.exception("Notices could not be looked for")
                await asyncio.sleep(TICK_SECONDS)
        finally:
            for task in self._sending.values():
                task.cancel()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def look(self) -> None:
        """Find what is to be told and write it down, if it is this notifier's turn. Raises DatabaseError."""
        if not await sync_to_async(take_turn)(self._name, datetime.now(UTC)):
            return
        around = None
        digest = await sync_to_async(any_due)(datetime.now(UTC))
        if digest or time.monotonic() >= self._look_around_at:
            try:
                around = await look_around(datetime.now(UTC))
                self._look_around_at = time.monotonic() + LOOK_AROUND_SECONDS
            except TemporalUnavailable as error:
                logger.info("Temporal could not be asked for what is to be told: %s", error)
        await sync_to_async(settle)(self._name, around, datetime.now(UTC))

    async def _send_due(self) -> None:
        self._sending = {number: task for number, task in self._sending.items() if not task.done()}
        for channel in await sync_to_async(channels_with_due)(datetime.now(UTC)):
            if channel not in self._sending and len(self._sending) < SENDING_AT_ONCE:
                self._sending[channel] = asyncio.create_task(self.send_to(channel))

    async def send_to(self, channel: int) -> None:
        """Send what is due to one channel, one after the other."""
        try:
            while claimed := await sync_to_async(claim_next)(channel, datetime.now(UTC)):
                try:
                    await asyncio.get_running_loop().run_in_executor(self._threads, self._sends, claimed)
                except NotSent as error:
                    logger.warning("A notice to channel %r was not sent: %s", claimed.channel.name, error)
                    await sync_to_async(record_failure)(claimed, error, datetime.now(UTC))
                else:
                    await sync_to_async(record_sent)(claimed, datetime.now(UTC))
        except DatabaseError as error:
            # What was sent meanwhile is sent again: its key tells.
            logger.info("The outcome of a notice could not be written down: %s", error)


def take_turn(name: str, now: datetime) -> bool:
    """Take the turn to look, or keep it; answer whether ``name`` has it."""
    drop_broken_connections()
    NotifierTurn.objects.get_or_create(pk=1, defaults={"until": now})
    free = NotifierTurn.objects.filter(pk=1, until__lte=now) | NotifierTurn.objects.filter(pk=1, by=name)
    return bool(free.update(by=name, until=now + TURN))


def settle(name: str, around: Surroundings | None, now: datetime) -> None:
    """Look at the record, and write down what is to be told; nothing if it is somebody else's turn by now."""
    facts = recorded_facts()
    if around is None:
        looked, places = RECORDED, tuple(facts.values())
    else:
        looked, places = frozenset(IncidentKind), with_surroundings(facts, around)
    with transaction.atomic():
        turn = NotifierTurn.objects.select_for_update().get(pk=1)
        if not turn.is_of(name, now):
            return
        audiences = read_audiences()
        settle_incidents(places, looked, around.unclear if around else (), audiences, now)
        settle_runs(turn, audiences, now)
        settle_digests(audiences, around, now)
        turn.looked = now
        turn.save(update_fields=["looked", "last_run", "open_runs"])
        if around is not None:
            _beat(audiences, now)
            forget_old(now)


def _beat(audiences: Iterable[Audience], now: datetime) -> None:
    """Say that a worker is there, and that database and Temporal answer: a dead one cannot say that it is."""
    beat = Notice(event=NoticeEvent.HEARTBEAT, key="heartbeat", title="Notices are looked for", time=now)
    beating = [one.channel for one in audiences if HEARTBEAT in one.channel.events]
    enqueue(beating, beat, f"heartbeat-{int(now.timestamp()) // HEARTBEAT_SECONDS}", now)
