"""When the attempts of steps were at work: Temporal's history keeps the last one's time only, the log all."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min

from workflows_app.models import RunMessage
from workflows_app.services.logs.messages import Place
from workflows_app.services.people.permissions import Actor, Right


@dataclass(frozen=True, slots=True)
class Spoken:
    """When an attempt said its first line, and its last one until now."""

    first: datetime
    last: datetime


def attempt_times(actor: Actor, number: int) -> dict[Place, Spoken]:
    """Answer when each attempt of each step of a run spoke, by step and attempt. Raises NotAllowed."""
    actor.require(Right.VIEW)
    rows = RunMessage.objects.filter(run=number).order_by().values_list("step", "attempt")
    found = rows.annotate(first=Min("time"), last=Max("time"))
    return {(step, attempt): Spoken(first, last) for step, attempt, first, last in found}
