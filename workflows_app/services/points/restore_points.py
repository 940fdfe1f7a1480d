"""Restore points of a configuration: what the storage has, held against what runs reported."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from asgiref.sync import sync_to_async

from workflows_app.domain.config import Config
from workflows_app.domain.errors import FossulError, NotFound, NotNow
from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.naming import parse_backup_name
from workflows_app.domain.restore_points import Ability, Presence, reconcile
from workflows_app.domain.results import Archives, Backup, Backups, Result
from workflows_app.domain.retention.keep_rules import moment_of
from workflows_app.models import Removal, Run
from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import Actor, Right
from workflows_app.services.points import holds, questions, verifications
from workflows_app.services.points.holds import HeldPoint
from workflows_app.services.points.verifications import Check


@dataclass(frozen=True, slots=True)
class Point:
    """A restore point as pages show it.

    ``run`` is the number of the run that made it, None where that is not known. ``size`` is in bytes, None
    where it is not known. ``archived`` is None while that cannot be found out. ``check`` is the last
    verification that a person asked for; ``verified`` when it was last found good: by that, or as it was
    made, by a plugin that promises so.
    """

    backup: Backup
    presence: Presence
    made: datetime
    run: int | None
    size: int | None
    archived: bool | None
    held: HeldPoint | None
    check: Check | None
    verified: datetime | None

    @property
    def present(self) -> bool:
        """Whether it is there."""
        return self.presence is Presence.PRESENT


@dataclass(frozen=True, slots=True)
class PointList:
    """All restore points of a configuration, the newest first.

    ``trouble`` says why the storage's list is not known, ``archive_trouble`` why the archives are not.
    ``abilities`` is what the plugins can do with one, ``has_archives`` whether there is an archive plugin.
    """

    points: tuple[Point, ...]
    trouble: str
    archive_trouble: str
    has_archives: bool
    abilities: frozenset[str]

    def can(self, ability: Ability) -> bool:
        """Whether a plugin can do that with a restore point."""
        return ability.value in self.abilities

    def find(self, name: str) -> Point | None:
        """The restore point of that name."""
        return next((point for point in self.points if point.backup.name == name), None)


@dataclass(frozen=True, slots=True)
class _Reported:
    run: int
    policy: str
    size: int | None


async def list_points(actor: Actor, profile: str, config: str) -> PointList:
    """Answer the restore points of a configuration.

    That the storage or the archives cannot be asked is in the answer, with what runs reported all the same.
    Raises NotAllowed; NotFound for an unknown configuration.
    """
    return await _list_points(actor, profile, config)


async def _list_points(actor: Actor, profile: str, config: str, asked: str = "") -> PointList:
    """As ``list_points``, with the name ``asked`` for, while nobody can tell whether there is one."""
    actor.require(Right.VIEW)
    found = (await sync_to_async(catalog.get_config)(actor, profile, config)).config
    # In this order: what a run reports, or deletes, while the storage is asked is then never called missing.
    reported, busy = await sync_to_async(_reported)(profile, config)
    (backups, trouble), (archives, archive_trouble) = await asyncio.gather(
        look_for_backups(found), look_for_archives(found)
    )
    await verifications.settle(profile, config)
    return await sync_to_async(_points)(
        actor, found, reported, busy, backups, trouble, archives, archive_trouble, asked
    )


async def get_point(actor: Actor, profile: str, config: str, name: str) -> tuple[PointList, Point]:
    """Answer one restore point, and the list that it is in.

    It is unknown while the storage, or the archives, cannot be asked for it. Raises as ``list_points``;
    NotFound for one that is known not to be there.
    """
    found = await _list_points(actor, profile, config, name)
    point = found.find(name)
    if point is None:
        raise NotFound(f"{profile}/{config} has no restore point {name!r} (any more).")
    return found, point


async def hold_point(actor: Actor, profile: str, config: str, name: str, reason: str) -> None:
    """Hold a restore point, for ``reason``, so that nothing deletes it.

    One that a run reported can be held without a worker. Raises as ``holds.hold``; NotFound for a name that
    nobody knows; NotNow while that cannot be found out.
    """
    actor.require(Right.OPERATE)
    reported, _ = await sync_to_async(_reported)(profile, config)
    if name not in reported:
        _, point = await get_point(actor, profile, config, name)
        if point.presence is Presence.UNKNOWN and point.held is None:
            raise NotNow(f"Whether there is {name} is not known now, so it is not held. Try again later.")
    await sync_to_async(holds.hold)(actor, profile, config, name, reason)


async def verify_point(actor: Actor, profile: str, config: str, name: str) -> None:
    """Let a worker verify a restore point now.

    Raises as ``get_point`` and ``verifications.start``; NotNow for one that is not there, or where the
    storage plugin cannot verify.
    """
    actor.require(Right.OPERATE)
    found, point = await get_point(actor, profile, config, name)
    if not point.present:
        raise NotNow(f"Whether {name} is in the storage is not known now, so it cannot be verified.")
    if not found.can(Ability.VERIFY):
        raise NotNow("This storage plugin cannot verify a backup: do a dry run of a restore.")
    await verifications.start(actor, profile, config, point.backup)


async def browse(actor: Actor, profile: str, config: str, name: str, query: FileQuery) -> FileListing:
    """Answer a page of the files in a restore point, read on a worker.

    Raises NotAllowed; NotFound; FossulError when they cannot be read; TemporalUnavailable.
    """
    actor.require(Right.VIEW)
    found = (await sync_to_async(catalog.get_config)(actor, profile, config)).config
    backup = parse_backup_name(name) or Backup(name=name)
    listing = await questions.which_files(found, backup, query)
    if listing.result.code:
        raise FossulError(listing.result.reason)
    return listing


async def look_for_backups(config: Config) -> tuple[Backups, str]:
    """Answer which backups exist, or why that cannot be known; none without a storage plugin."""
    nothing = Backups(result=Result())
    if not config.storage_plugin:
        return nothing, ""
    try:
        backups = await questions.which_backups(config)
    except FossulError as error:
        return nothing, str(error)
    return backups, backups.result.reason if backups.result.code else ""


async def look_for_archives(config: Config) -> tuple[Archives, str]:
    """Answer which archives exist, or why that cannot be known; none without an archive plugin."""
    nothing = Archives(result=Result())
    if not config.archive_plugin:
        return nothing, ""
    try:
        archives = await questions.which_archives(config)
    except FossulError as error:
        return nothing, str(error)
    return archives, archives.result.reason if archives.result.code else ""


def _reported(profile: str, config: str) -> tuple[dict[str, _Reported], bool]:
    """The backups that runs said that they made, by name, and whether a run is open."""
    runs = Run.objects.of(profile, config)
    busy = runs.open().exists()
    rows = runs.filter(progress__has_key="backup_name").order_by("pk")
    values = rows.values_list("pk", "policy", "former_policy", "backup_bytes", "progress__backup_name")
    return {
        name: _Reported(number, former or policy, size)
        for number, policy, former, size, name in values
        if name
    }, busy


def _points(
    actor: Actor,
    config: Config,
    reported: dict[str, _Reported],
    busy: bool,
    backups: Backups,
    trouble: str,
    archives: Archives,
    archive_trouble: str,
    asked: str,
) -> PointList:
    profile, name = config.profile_name, config.config_name
    listed = {backup.name: backup for backup in backups.backup}
    archived = {archive.name for archive in archives.archive}
    held = holds.holds_of(actor, profile, name)
    # What somebody holds was there; what is asked for may be, wherever that is.
    wanted = {*held, asked} if trouble else {asked} if archive_trouble else set()
    presences = reconcile(
        None if trouble else listed.keys(),
        reported=reported.keys(),
        removed=_removed(profile, name, listed.keys()),
        archived=archived,
        busy=busy,
        wanted=wanted - {""},
    )
    checks = verifications.latest(profile, name)
    verifies = Ability.VERIFY.value in backups.abilities
    points = []
    for point, presence in presences.items():
        known = reported.get(point)
        backup = listed.get(point) or _told_by(point, known)
        check = checks.get(point)
        made = moment_of(backup.epoch)
        points.append(
            Point(
                backup=backup,
                presence=presence,
                made=made,
                run=known.run if known else None,
                size=backup.size if backup.size is not None else (known.size if known else None),
                archived=None if archive_trouble else point in archived,
                held=held.get(point),
                check=check,
                verified=_verified(check, made, presence, verifies=verifies),
            )
        )
    points.sort(key=lambda each: (each.made, each.backup.name), reverse=True)
    return PointList(
        points=tuple(points),
        trouble=trouble,
        archive_trouble=archive_trouble,
        has_archives=bool(config.archive_plugin),
        abilities=frozenset((*backups.abilities, *archives.abilities)),
    )


def _removed(profile: str, config: str, listed: Iterable[str]) -> set[str]:
    """What was deleted on purpose; an entry that the storage contradicts is of no use any more and goes."""
    removals = Removal.objects.filter(profile=profile, config=config)
    names = set(removals.values_list("backup", flat=True))
    back = names.intersection(listed) if names else set()
    if back:
        removals.filter(backup__in=back).delete()
    return names - back


def _told_by(name: str, known: _Reported | None) -> Backup:
    """What is known of a backup that the storage does not tell of."""
    backup = parse_backup_name(name) or Backup(name=name)
    return backup.model_copy(update={"policy": known.policy}) if known else backup


def _verified(check: Check | None, made: datetime, presence: Presence, *, verifies: bool) -> datetime | None:
    if presence is not Presence.PRESENT:
        return None
    if check is not None and check.failed:
        return None
    if check is not None and check.good:
        return check.finished
    return made if verifies else None
