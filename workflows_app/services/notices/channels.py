"""Channels: where notices go, kept with their secrets sealed, and never shown again."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from uuid import uuid4

from django.db import IntegrityError, transaction

from workflows_app.domain.config import check_name
from workflows_app.domain.errors import ConfigInvalid, NotFound, NotNow
from workflows_app.domain.notices.channels import (
    SHORTEST_SIGNING_SECRET,
    ChannelKind,
    MailServer,
    Rhythm,
    check_events,
    check_url,
    parse_mail_server,
    shown_url,
)
from workflows_app.domain.notices.notices import Notice, NoticeEvent
from workflows_app.domain.schedules.schedules import find_zone
from workflows_app.models import BackupConfig, Channel, Profile
from workflows_app.services.configurations.secrets import sealed_text
from workflows_app.services.notices.apprise_services import service_name
from workflows_app.services.notices.deliveries import enqueue, give_up
from workflows_app.services.notices.digests import due_of
from workflows_app.services.notices.mails import mail_server
from workflows_app.services.notices.senders import opened_target
from workflows_app.services.people.audit import Action, note
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.setup.addresses import address

Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ChannelSummary:
    """A channel as a page shows it; ``shown`` is what of its target may be seen.

    ``profiles`` and ``configs`` are of what it hears unless it hears of ``everything``; ``options`` are those
    of a mail server.
    """

    number: int
    name: str
    kind: ChannelKind
    shown: str
    events: tuple[str, ...]
    everything: bool
    profiles: tuple[str, ...]
    configs: tuple[Place, ...]
    enabled: bool
    digest: Rhythm
    digest_time: time
    digest_day: int
    zone: str
    digest_due: datetime | None
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ChannelDraft:
    """A channel as a person wrote it. What is empty of ``target`` stays as it is stored.

    ``target`` has, by kind, the fields of a mail server and ``password``; ``url`` and ``secret`` of a
    webhook; ``url`` of the others. ``digest_time`` is as ``08:00``, ``digest_day`` as ``0`` for Monday.
    """

    name: str
    kind: str
    target: Mapping[str, str] = field(default_factory=dict)
    events: Collection[str] = ()
    everything: bool = True
    profiles: Collection[str] = ()
    configs: Collection[Place] = ()
    enabled: bool = True
    digest: str = ""
    digest_time: str = "08:00"
    digest_day: str = "0"
    zone: str = "UTC"


def list_channels(actor: Actor) -> tuple[ChannelSummary, ...]:
    """Answer all channels, by name. Raises NotAllowed."""
    actor.require(Right.VIEW)
    rows = Channel.objects.prefetch_related("profiles", "configs__profile")
    return tuple(_summary(row) for row in rows)


def get_channel(actor: Actor, number: int) -> ChannelSummary:
    """Answer a channel. Raises NotAllowed, NotFound."""
    actor.require(Right.VIEW)
    return _summary(_find(number))


def add_channel(actor: Actor, draft: ChannelDraft) -> int:
    """Make a channel and answer its number. Raises NotAllowed; ConfigInvalid naming the field."""
    actor.require(Right.CONFIGURE)
    try:
        kind = ChannelKind(draft.kind)
    except ValueError:
        raise ConfigInvalid("kind", f"{draft.kind!r} is none of {', '.join(ChannelKind)}") from None
    return _save(actor, Channel(kind=kind.value), draft, Action.ADDED_CHANNEL)


def change_channel(actor: Actor, number: int, draft: ChannelDraft) -> None:
    """Change a channel; its kind stays. One that is disabled sends nothing of what waits for it.

    Raises NotAllowed, NotFound; ConfigInvalid naming the field.
    """
    actor.require(Right.CONFIGURE)
    _save(actor, _find(number), draft, Action.CHANGED_CHANNEL)


def delete_channel(actor: Actor, number: int, confirmation: str) -> None:
    """Delete a channel with what was sent to it, if its name was typed.

    Raises NotAllowed, NotFound, ConfigInvalid.
    """
    actor.require(Right.CONFIGURE)
    row = _find(number)
    if confirmation != row.name:
        raise ConfigInvalid("confirmation", f"type the channel's name, {row.name}, to delete it")
    with transaction.atomic():
        note(actor, Action.DELETED_CHANNEL, "", "", details=row.name)
        row.delete()


def test_channel(actor: Actor, number: int) -> None:
    """Ask a worker to send a test to a channel at once.

    Raises NotAllowed, NotFound; NotNow while it is disabled.
    """
    actor.require(Right.CONFIGURE)
    row = _find(number)
    if not row.enabled:
        raise NotNow(f"The channel {row.name} is disabled: enable it to send a test.")
    now = datetime.now(UTC)
    mark = uuid4().hex
    notice = Notice(
        event=NoticeEvent.TEST,
        key=f"test/{mark}",
        title="A test of Fossul's notices",
        time=now,
        profile="test",
        config="test",
        reason=f"{actor.name} asked for this test of the channel {row.name}. Nothing is wrong.",
        url=address("notifications"),
    )
    with transaction.atomic():
        note(actor, Action.TESTED_CHANNEL, "", "", details=row.name)
        enqueue([row], notice, f"test-{mark}", now)


def _find(number: int) -> Channel:
    row = Channel.objects.filter(pk=number).first()
    if row is None:
        raise NotFound(f"There is no channel {number}.")
    return row


def _save(actor: Actor, row: Channel, draft: ChannelDraft, action: Action) -> int:
    now = datetime.now(UTC)
    kind = ChannelKind(row.kind)
    check_name("name", draft.name)
    row.name = draft.name
    row.events = check_events(kind, draft.events)
    _set_target(row, kind, draft.target)
    _set_digest(row, kind, draft, now)
    row.everything, row.enabled = draft.everything, draft.enabled
    profiles, configs = _chosen(draft)
    try:
        with transaction.atomic():
            row.save()
            row.profiles.set(profiles)
            row.configs.set(configs)
            if not row.enabled:
                give_up(row, "The channel was disabled.", now)
            note(actor, action, "", "", details=f"{row.name} ({kind}, {row.shown})")
    except IntegrityError:
        raise ConfigInvalid("name", f"there is a channel {draft.name} already") from None
    return row.pk


def _set_target(row: Channel, kind: ChannelKind, given: Mapping[str, str]) -> None:
    stored = opened_target(row) if row.pk else {}
    if kind is ChannelKind.EMAIL:
        server = parse_mail_server(given)
        password = given.get("password", "") or _kept_password(row, server, stored)
        if server.user and not password:
            raise ConfigInvalid(
                "password", "give the password: the stored one is for another server, port or user"
            )
        target = {"password": password} if server.user else {}
        row.options = server.options
        row.shown = f"{server.host}:{server.port} to {', '.join(server.to)}"[:300]
    else:
        url = given.get("url", "").strip() or stored.get("url", "")
        target = {"url": url}
        if kind is ChannelKind.APPRISE:
            row.shown = service_name(url)
        else:
            target["url"] = check_url("url", url)
            row.shown = shown_url(url)
        if kind is ChannelKind.WEBHOOK:
            target["secret"] = given.get("secret", "") or stored.get("secret", "")
            if len(target["secret"]) < SHORTEST_SIGNING_SECRET:
                words = f"give at least {SHORTEST_SIGNING_SECRET} characters, as of openssl rand -hex 32"
                raise ConfigInvalid("secret", words)
    row.secret = sealed_text(json.dumps(target)) if target else ""


def _kept_password(row: Channel, server: MailServer, stored: Mapping[str, str]) -> str:
    """The stored password, for the server that it was given for alone: nobody can have it sent elsewhere."""
    if row.pk is None or mail_server(row.options).login != server.login:
        return ""
    return stored.get("password", "")


def _set_digest(row: Channel, kind: ChannelKind, draft: ChannelDraft, now: datetime) -> None:
    try:
        rhythm = Rhythm(draft.digest)
    except ValueError:
        raise ConfigInvalid("digest", f"{draft.digest!r} is neither daily nor weekly") from None
    if kind is ChannelKind.PING and rhythm is not Rhythm.NEVER:
        raise ConfigInvalid("digest", "a ping carries no digest")
    try:
        at = time.fromisoformat(draft.digest_time.strip())
    except ValueError:
        raise ConfigInvalid("digest_time", f"{draft.digest_time!r} is no time: say it like 08:00") from None
    if draft.digest_day not in tuple("0123456"):
        raise ConfigInvalid("digest_day", "it is a day of the week")
    before = (row.digest, row.digest_time, row.digest_day, row.zone, row.enabled)
    row.digest, row.digest_time, row.digest_day = (
        rhythm.value,
        at.replace(second=0, tzinfo=None),
        int(draft.digest_day),
    )
    row.zone = find_zone(draft.zone.strip()).key
    if (
        before != (row.digest, row.digest_time, row.digest_day, row.zone, draft.enabled)
        or row.digest_due is None
    ):
        row.digest_due = due_of(row, now)


def _chosen(draft: ChannelDraft) -> tuple[list[Profile], list[BackupConfig]]:
    """What a channel is to hear of. Raises ConfigInvalid for a profile or configuration that is not."""
    if draft.everything:
        return [], []
    profiles = list(Profile.objects.filter(name__in=draft.profiles))
    unknown = set(draft.profiles) - {profile.name for profile in profiles}
    rows = BackupConfig.objects.select_related("profile")
    configs = [row for row in rows if (row.profile.name, row.name) in set(draft.configs)]
    unknown |= {f"{profile}/{config}" for profile, config in draft.configs} - {str(row) for row in configs}
    if unknown:
        raise ConfigInvalid("scope", f"there is no {sorted(unknown)[0]} any more")
    if not profiles and not configs:
        raise ConfigInvalid("scope", "choose at least one profile or configuration, or all of them")
    return profiles, configs


def _summary(row: Channel) -> ChannelSummary:
    return ChannelSummary(
        number=row.pk,
        name=row.name,
        kind=ChannelKind(row.kind),
        shown=row.shown,
        events=tuple(row.events),
        everything=row.everything,
        profiles=tuple(profile.name for profile in row.profiles.all()),
        configs=tuple((config.profile.name, config.name) for config in row.configs.all()),
        enabled=row.enabled,
        digest=Rhythm(row.digest),
        digest_time=row.digest_time,
        digest_day=row.digest_day,
        zone=row.zone,
        digest_due=row.digest_due,
        options=row.options,
    )
