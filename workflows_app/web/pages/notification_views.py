"""What pages show of channels and deliveries: each with its status."""

from collections.abc import Collection
from dataclasses import dataclass

from workflows_app.services.notices.channels import ChannelSummary
from workflows_app.services.notices.delivery_lists import DeliverySummary, latest_deliveries
from workflows_app.services.people.permissions import Actor
from workflows_app.web.pages.channel_forms import EVENT_WORDS, KIND_WORDS
from workflows_app.web.words.statuses import Status

SENT = Status("complete", "sent", "circle-check")
GIVEN_UP = Status("error", "not sent", "octagon-x")
AGAIN = Status("person", "trying again", "rotate-cw")
PENDING = Status("waiting", "on its way", "hourglass")

_EVENTS = {
    "incident.opened": "alert",
    "incident.reminder": "reminder",
    "incident.recovered": "recovery",
    "run.started": "start",
    "run.succeeded": "success",
    "run.failed": "failure",
}


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery with its status; ``event`` is the word for what it tells."""

    delivery: DeliverySummary
    status: Status
    event: str

    @property
    def waits(self) -> bool:
        """Whether it may still be sent."""
        return self.delivery.done is None

    @property
    def gathers(self) -> bool:
        """Whether it waits for what else may be told with it."""
        return self.waits and not self.delivery.attempts and self.delivery.due > self.delivery.created


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel with what it is called, of what it hears, and its last delivery."""

    channel: ChannelSummary
    kind: str
    icon: str
    hears: str
    last: DeliveryRow | None


def delivery_row(delivery: DeliverySummary) -> DeliveryRow:
    """Answer a delivery as a row of a table."""
    if delivery.done is not None:
        status = SENT if delivery.sent else GIVEN_UP
    else:
        status = AGAIN if delivery.error else PENDING
    return DeliveryRow(delivery, status, _EVENTS.get(delivery.event, delivery.event))


def channel_rows(actor: Actor, channels: Collection[ChannelSummary]) -> list[ChannelRow]:
    """Answer channels as rows of a table. Raises NotAllowed."""
    last = latest_deliveries(actor, [channel.number for channel in channels])
    return [
        ChannelRow(
            channel,
            KIND_WORDS[channel.kind][0],
            KIND_WORDS[channel.kind][2],
            _hears(channel),
            delivery_row(last[channel.number]) if channel.number in last else None,
        )
        for channel in channels
    ]


def _hears(channel: ChannelSummary) -> str:
    if "heartbeat" in channel.events:
        return EVENT_WORDS["heartbeat"][0]
    where = "all configurations"
    if not channel.everything:
        names = [*channel.profiles, *(f"{profile}/{config}" for profile, config in channel.configs)]
        where = ", ".join(names) or "nothing that still exists"
    what = "each backup" if "runs" in channel.events else f"{len(channel.events)} events"
    digest = f", a {channel.digest} digest" if channel.digest else ""
    return f"{what} of {where}{digest}"
