"""Which plugins there are and what they want to know, as workers tell it: pages load no plugin (ADR 0001)."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asgiref.sync import sync_to_async
from django.db import DatabaseError, transaction

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Family
from workflows_app.domain.results import PluginInfo
from workflows_app.domain.runs.restores import RESTORE_FILES
from workflows_app.models import PluginRecord
from workflows_app.models.connections import drop_broken_connections
from workflows_app.services.people.permissions import Actor, Right

logger = logging.getLogger(__name__)

SAY_SECONDS = 20.0
# Plugins are asked anew: an executable needs no restart of the worker to be found.
ASK_EVERY = 15
FRESH = timedelta(seconds=90)
FORGET = timedelta(days=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class PublishedPlugin:
    """A plugin as the worker that spoke last tells of it; ``present`` when that was just now.

    ``workers`` are those that have it now.
    """

    family: Family
    name: str
    info: PluginInfo
    workers: tuple[str, ...]
    seen: datetime

    @property
    def present(self) -> bool:
        """Whether a worker has it now."""
        return bool(self.workers)


class Published:
    """The plugins that workers have told of, by family and name."""

    def __init__(self, plugins: Iterable[PublishedPlugin] = ()) -> None:
        self.plugins = tuple(plugins)
        self._known = {(plugin.family, plugin.name): plugin for plugin in self.plugins}

    def find(self, family: Family, name: str) -> PublishedPlugin | None:
        """The plugin of that name; Fossul's ``X.so`` is ``X``, as on a worker (``plugins.registry``)."""
        return self._known.get((family, name)) or self._known.get((family, name.removesuffix(".so")))

    def of(self, family: Family) -> tuple[PublishedPlugin, ...]:
        """The plugins of a family, by name."""
        return tuple(plugin for plugin in self.plugins if plugin.family is family)

    @property
    def declared_secrets(self) -> frozenset[str]:
        """The names of the parameters that any plugin declares secret."""
        return frozenset(
            parameter.name
            for plugin in self.plugins
            for parameter in plugin.info.parameters
            if parameter.secret
        )


def published(actor: Actor) -> Published:
    """Answer the plugins that workers have told of. Raises NotAllowed."""
    actor.require(Right.VIEW)
    return _published()


def declared_secrets() -> frozenset[str]:
    """The names of the parameters that any plugin declares secret, also of workers that are gone."""
    return _published().declared_secrets


def restores_files(actor: Actor, config: Config) -> bool:
    """Whether a configuration's storage plugin is known to restore single files. Raises NotAllowed."""
    known = published(actor).find(Family.STORAGE, config.storage_plugin)
    return known is not None and any(able.name == RESTORE_FILES for able in known.info.capabilities)


def publish(worker: str, infos: Iterable[PluginInfo]) -> None:
    """Write down what a worker's plugins say of themselves, in place of what the worker said before.

    What nobody has said for a day is forgotten once another worker tells of the same plugin; never the last
    word on a plugin, which says what in its parameters is secret.
    """
    now = datetime.now(UTC)
    told = {(info.type, info.name): info for info in infos}
    with transaction.atomic():
        for (family, name), info in told.items():
            PluginRecord.objects.update_or_create(
                worker=worker, family=family, name=name, defaults={"info": info.wire(), "seen": now}
            )
        lost = PluginRecord.objects.filter(worker=worker, seen__gte=now - FRESH).exclude(seen=now)
        lost.update(seen=now - FRESH - SECOND)
        for record in PluginRecord.objects.filter(seen__lt=now - FORGET):
            if (record.family, record.name) in told:
                record.delete()


async def keep_published(worker: str, ask: Callable[[], Iterable[PluginInfo]]) -> None:
    """Tell of a worker's plugins until cancelled; a database that is away is waited for."""
    turn = 0
    while True:
        try:
            if turn % ASK_EVERY == 0:
                await sync_to_async(_publish)(worker, await asyncio.to_thread(ask))
            else:
                await sync_to_async(_say_again)(worker)
            turn += 1
        except DatabaseError as error:
            logger.info("The plugins could not be told of now: %s", error)
            turn = 0
        except Exception:  # what a plugin says of itself must not end the telling
            logger.warning("The plugins could not be told of", exc_info=True)
            turn = 0
        await asyncio.sleep(SAY_SECONDS)


def _publish(worker: str, infos: Iterable[PluginInfo]) -> None:
    drop_broken_connections()
    publish(worker, infos)


def _say_again(worker: str) -> None:
    drop_broken_connections()
    now = datetime.now(UTC)
    PluginRecord.objects.filter(worker=worker, seen__gte=now - FRESH).update(seen=now)


def _published() -> Published:
    fresh = datetime.now(UTC) - FRESH
    families = {family.lower(): family for family in Family}
    newest: dict[tuple[str, str], PluginRecord] = {}
    workers: dict[tuple[str, str], list[str]] = {}
    for record in PluginRecord.objects.filter(family__in=families).order_by("family", "name", "-seen"):
        key = (record.family, record.name)
        newest.setdefault(key, record)
        if record.seen >= fresh:
            workers.setdefault(key, []).append(record.worker)
    return Published(
        PublishedPlugin(
            family=families[record.family],
            name=record.name,
            info=PluginInfo.model_validate(record.info),
            workers=tuple(workers.get(key, ())),
            seen=record.seen,
        )
        for key, record in newest.items()
    )
