"""Restore points: what a storage has, held against what runs reported."""

from collections.abc import Collection
from enum import StrEnum


class Ability(StrEnum):
    """What a plugin may be able to do with one backup or archive, beside what every plugin can."""

    VERIFY = "verify"
    DELETE = "delete"
    BROWSE = "browse"
    FETCH = "fetch"
    FILES = "files"


class Presence(StrEnum):
    """Whether a backup is there.

    ``MISSING`` was reported by a run, is not in the storage's list, and nobody is known to have deleted it.
    ``UNKNOWN`` while the storage does not tell, or while a run is open that may be deleting it.
    ``ARCHIVED`` is not in the storage, which is as it should be, but there is an archive of it.
    """

    PRESENT = "PRESENT"
    MISSING = "MISSING"
    UNKNOWN = "UNKNOWN"
    ARCHIVED = "ARCHIVED"


def reconcile(
    listed: Collection[str] | None,
    *,
    reported: Collection[str],
    removed: Collection[str],
    archived: Collection[str],
    busy: bool,
    wanted: Collection[str] = (),
) -> dict[str, Presence]:
    """Answer the presence of every backup that there is reason to show, by name.

    ``listed`` is what the storage says that it has, None while it does not tell; ``reported`` what runs
    said that they made, read before that; ``removed`` what was deleted on purpose, read after it. ``busy``
    says that a run was open, whose retention may not be written down yet. ``wanted`` is what else there is
    reason to ask for while not everybody can be asked: it is unknown where nothing else is known.
    """
    found = {name: Presence.UNKNOWN for name in wanted if name not in removed}
    found |= dict.fromkeys(archived, Presence.ARCHIVED)
    for name in reported:
        if name not in removed:
            found[name] = Presence.UNKNOWN if listed is None or busy else Presence.MISSING
    return found | dict.fromkeys(listed or (), Presence.PRESENT)
