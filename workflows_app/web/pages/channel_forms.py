"""The form of a channel: what was typed, what is wrong with it, and never what is secret."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.http import QueryDict

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.notices.channels import DEFAULT_ALERTS, RUNS, ChannelKind, Rhythm, events_of
from workflows_app.services.notices.channels import ChannelDraft, ChannelSummary

KIND_WORDS = {
    ChannelKind.EMAIL: ("E-mail", "By your mail server.", "mail"),
    ChannelKind.WEBHOOK: ("Webhook", "Signed JSON, posted to an address of yours.", "webhook"),
    ChannelKind.APPRISE: (
        "Slack and others",
        "Slack, Teams, Telegram, ntfy and a hundred more, by Apprise.",
        "send",
    ),
    ChannelKind.PING: ("Ping", "Healthchecks and its like: they tell when nothing comes.", "activity"),
}
EVENT_WORDS = {
    "failed": ("A backup or restore failed", "Over when a later one goes well."),
    "frozen": ("An application stands frozen", "Longer than its budget, or thawing it failed."),
    "waiting": ("A run waits for a person", "A step failed and somebody has to decide."),
    "overdue": ("A backup is overdue", "It is due and no worker takes it."),
    "missed": ("A scheduled backup was missed", "Nobody was there in time."),
    "skipped": ("A scheduled backup was skipped", "Another run held the lock."),
    "unprotected": (
        "A configuration is not protected any more",
        "Its restore points are older than promised.",
    ),
    "damaged": ("A verification failed", "The backup is not as it was made."),
    "missing": ("A backup is missing", "Nobody deleted it, and the storage does not have it."),
    "succeeded": ("Every backup that completes", "Many notices, and none that needs you."),
    "runs": ("Each backup's start, success and failure", "Of the configurations below."),
    "heartbeat": (
        "The dashboard itself, every five minutes",
        "Stops when no worker is there or Temporal is away.",
    ),
}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TARGET = ("host", "port", "security", "user", "password", "sender", "to", "url", "secret")
_SECRET = frozenset({"password", "url", "secret"})


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to tick, or to choose."""

    value: str
    words: str
    help: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class ChannelForm:
    """The form as a page shows it: values by field, without those that are secret, and errors by field."""

    kind: ChannelKind
    values: Mapping[str, str]
    chosen: Collection[str] = ()
    everything: bool = True
    places: Collection[str] = ()
    enabled: bool = True
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What such a channel is called."""
        return KIND_WORDS[self.kind][0]

    @property
    def is_ping(self) -> bool:
        """Whether it is one that carries no words."""
        return self.kind is ChannelKind.PING

    @property
    def events(self) -> tuple[Choice, ...]:
        """What it may be told of."""
        return tuple(Choice(e, *EVENT_WORDS[e], e in self.chosen) for e in events_of(self.kind))

    @property
    def rhythms(self) -> tuple[Choice, ...]:
        """How often it may get a digest."""
        words = {Rhythm.NEVER: "never", Rhythm.DAILY: "every day", Rhythm.WEEKLY: "every week"}
        digest = self.values.get("digest", "")
        return tuple(Choice(each.value, word, chosen=each.value == digest) for each, word in words.items())

    @property
    def days(self) -> tuple[Choice, ...]:
        """On which day a weekly one comes."""
        day = self.values.get("digest_day", "0")
        return tuple(Choice(str(n), word, chosen=str(n) == day) for n, word in enumerate(DAYS))

    def refused(self, error: ConfigInvalid) -> "ChannelForm":
        """The form with one more error."""
        return replace(self, errors={**self.errors, error.field: error.reason})


def new_form(kind: ChannelKind) -> ChannelForm:
    """The form of a channel that is to be made."""
    values = {
        "name": "",
        "port": "587",
        "security": "starttls",
        "digest": "",
        "digest_time": "08:00",
        "digest_day": "0",
        "zone": settings.TIME_ZONE,
    }
    return ChannelForm(kind, values, chosen=[RUNS] if kind is ChannelKind.PING else DEFAULT_ALERTS)


def form_of_channel(channel: ChannelSummary) -> ChannelForm:
    """The form of a channel that there is."""
    options = {name: str(value) for name, value in channel.options.items() if name != "to"}
    recipients = channel.options.get("to")
    values = {
        **options,
        "to": ", ".join(recipients) if isinstance(recipients, list) else "",
        "name": channel.name,
        "digest": channel.digest.value,
        "digest_time": f"{channel.digest_time:%H:%M}",
        "digest_day": str(channel.digest_day),
        "zone": channel.zone,
    }
    places = [*channel.profiles, *(f"{profile}/{config}" for profile, config in channel.configs)]
    return ChannelForm(
        channel.kind, values, channel.events, channel.everything, places, enabled=channel.enabled
    )


def form_of_post(kind: ChannelKind, posted: QueryDict) -> ChannelForm:
    """The form as it was posted, without what is secret."""
    values = {name: value for name, value in posted.items() if isinstance(value, str) and name not in _SECRET}
    return ChannelForm(
        kind,
        values,
        posted.getlist("events"),
        posted.get("everything") != "no",
        posted.getlist("places"),
        enabled="enabled" in posted,
    )


def draft_of_post(kind: ChannelKind, posted: QueryDict) -> ChannelDraft:
    """What was posted, for the service to judge."""
    places = posted.getlist("places")
    return ChannelDraft(
        name=posted.get("name", "").strip(),
        kind=kind.value,
        target={name: posted.get(name, "") for name in _TARGET},
        events=posted.getlist("events"),
        everything=posted.get("everything") != "no",
        profiles=[place for place in places if "/" not in place],
        configs=[(one[0], one[2]) for place in places if (one := place.partition("/"))[1]],
        enabled="enabled" in posted,
        digest=posted.get("digest", ""),
        digest_time=posted.get("digest_time", "08:00"),
        digest_day=posted.get("digest_day", "0"),
        zone=posted.get("zone", "UTC"),
    )
