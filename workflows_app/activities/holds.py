"""What may not be deleted, read right before something would be."""

from django.db import DatabaseError

from workflows_app.domain.errors import PluginFailed
from workflows_app.models import Hold
from workflows_app.models.connections import drop_broken_connections


def held_names() -> frozenset[str]:
    """The names of all backups that are held, of whichever configuration: a held one may have been renamed.

    Raises PluginFailed when the database does not tell: what cannot be read may not be acted on.
    """
    return frozenset(_read(None))


def held_in(profile: str, config: str) -> frozenset[str]:
    """The names of the held backups of one configuration. Raises as ``held_names``."""
    return frozenset(_read((profile, config)))


def refuse_held(name: str) -> None:
    """Raise PluginFailed when a backup of that name is held, or when that cannot be read."""
    if name in held_names():
        raise PluginFailed(f"{name} is held: release the hold first")


def _read(names: tuple[str, str] | None) -> list[str]:
    try:
        drop_broken_connections()
        holds = Hold.objects.all()
        if names is not None:
            holds = holds.filter(profile=names[0], config=names[1])
        return list(holds.values_list("backup", flat=True))
    except DatabaseError as error:
        raise PluginFailed(
            "Which restore points are held cannot be read, so nothing (more) is deleted: the database does "
            f"not answer ({type(error).__name__}). The next run tries again"
        ) from None
