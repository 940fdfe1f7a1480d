"""What a storage has, written down wherever a worker reads it anyway: pages tell of it without asking."""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db import DatabaseError

from workflows_app.domain.config import Config
from workflows_app.domain.results import Backup
from workflows_app.domain.runs.protection import storage_mark
from workflows_app.models import Catalogue
from workflows_app.models.connections import drop_broken_connections

logger = logging.getLogger(__name__)

KEPT = 10
"""So many of each policy are written down: enough for one to be left when some turn out to be bad."""


def note_backups(config: Config, backups: Iterable[Backup], read: datetime) -> None:
    """Write down which backups of a configuration there were when the reading began, at ``read``.

    An older reading never takes the place of a newer one. That it cannot be written down is logged only: it
    must not fail what the backups were read for.
    """
    now = {"points": _newest(backups), "read": read, "tried": read, "trouble": ""}
    _write(config, read, now | {"storage": _mark(config)})


def note_trouble(config: Config, trouble: str, tried: datetime) -> None:
    """Write down that the backups of a configuration could not be read, and why; else as ``note_backups``.

    What was seen before stays, but not what was seen in another place.
    """
    mark = _mark(config)
    elsewhere = Catalogue.objects.filter(profile=config.profile_name, config=config.config_name)
    try:
        drop_broken_connections()
        elsewhere.exclude(storage=mark).filter(tried__lte=tried).delete()
    except DatabaseError as error:
        logger.info("What the storage had elsewhere could not be forgotten: %s", error)
    _write(config, tried, {"trouble": trouble, "tried": tried, "storage": mark})


def forget_backup(profile: str, config: str, backup: str) -> None:
    """Take a backup that was deleted out of what was seen. Raises DatabaseError."""
    row = Catalogue.objects.filter(profile=profile, config=config).first()
    if row is None:
        return
    left = [point for point in row.points if point[0] != backup]
    if left != row.points:
        # A reading that came meanwhile knows better.
        Catalogue.objects.filter(pk=row.pk, tried=row.tried).update(points=left)


def _mark(config: Config) -> str:
    return storage_mark(config.storage_plugin, config.storage_plugin_parameters)


def _newest(backups: Iterable[Backup]) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    counts: Counter[str] = Counter()
    for backup in sorted(backups, key=lambda each: each.epoch, reverse=True):
        counts[backup.policy] += 1
        if counts[backup.policy] <= KEPT:
            found.append((backup.name, backup.policy, backup.epoch))
    return found


def _write(config: Config, moment: datetime, values: dict[str, object]) -> None:
    place = {"profile": config.profile_name, "config": config.config_name}
    try:
        drop_broken_connections()
        row, made = Catalogue.objects.get_or_create(**place, defaults=values)
        if not made:
            Catalogue.objects.filter(pk=row.pk, tried__lte=moment).update(**values)
    except DatabaseError as error:
        logger.info("What the storage of %s has could not be written down: %s", place, error)
