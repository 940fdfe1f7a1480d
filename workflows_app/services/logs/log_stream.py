"""The whole log of a run for a download: a stream, in bounded memory."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async

from workflows_app.models import RunMessage
from workflows_app.services.logs.messages import LogLine, Place
from workflows_app.services.people.permissions import Actor, Right

# A line may take a MiB: so many of them fit into memory whatever they are.
BATCH = 100


def stream_lines(actor: Actor, number: int) -> AsyncIterator[list[LogLine]]:
    """Answer all lines of a run, whole, in order, in batches of one place each. Raises NotAllowed.

    Each batch is a query of its own: a slow reader holds nothing open.
    """
    actor.require(Right.VIEW)
    return _batches(number)


async def _batches(number: int) -> AsyncIterator[list[LogLine]]:
    for place in await sync_to_async(_places)(number):
        last = 0
        while lines := await sync_to_async(_after)(number, place, last):
            yield lines
            last = lines[-1].seq


def _places(number: int) -> list[Place]:
    rows = RunMessage.objects.filter(run=number).order_by("step", "attempt")
    return list(rows.values_list("step", "attempt").distinct())


def _after(number: int, place: Place, last: int) -> list[LogLine]:
    step, attempt = place
    rows = RunMessage.objects.filter(run=number, step=step, attempt=attempt, seq__gt=last)
    return [
        LogLine(step, attempt, row.seq, row.time, row.level, row.text) for row in rows.order_by("seq")[:BATCH]
    ]
