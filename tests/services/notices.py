"""What tests of notices share: channels, runs, and a look of the notifier at them."""

from datetime import UTC, datetime, timedelta

from tests.factories import ADMIN, make_run
from workflows_app.domain.notices.channels import DEFAULT_ALERTS
from workflows_app.models import (
    BackupConfig,
    Channel,
    Delivery,
    Run,
)
from workflows_app.services.notices import channels
from workflows_app.services.notices.channels import ChannelDraft
from workflows_app.services.notices.incident_facts import Surroundings
from workflows_app.services.notices.notifier import settle, take_turn

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SIGNING = "a signing secret of the tests"


def hook(receiver_port: int = 9, name: str = "hook", **changes: object) -> Channel:
    draft = ChannelDraft(
        **{
            "name": name,
            "kind": "webhook",
            "target": {"url": f"http://localhost:{receiver_port}/geheimnis", "secret": SIGNING},
            "events": DEFAULT_ALERTS,
            **changes,
        }
    )
    return Channel.objects.get(pk=channels.add_channel(ADMIN, draft))


def ping(receiver_port: int = 9, events: tuple[str, ...] = ("runs",), **changes: object) -> Channel:
    target = {"url": f"http://localhost:{receiver_port}/ping"}
    return hook(name=f"ping-{events[0]}", kind="ping", target=target, events=events, **changes)


def run_of(config: BackupConfig, status: str, **changes: object) -> Run:
    run = make_run(profile=config.profile.name, config=config.name, status=status, **changes)
    if status != "RUNNING":
        Run.objects.filter(pk=run.pk).update(finished=changes.get("started", NOW))
    return run


def look(now: datetime = NOW, around: Surroundings | None = None, name: str = "me") -> None:
    assert take_turn(name, now)
    settle(name, around, now)


def events() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("event", flat=True))


def nothing_around() -> Surroundings:
    return Surroundings({}, {}, {}, frozenset())
