"""Where a backup goes back to, and whether it may."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.wording import reason_of, shown

# How many original paths are named.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Target:
    """The folder ``base`` (a real path) below which the members of a backup go; ``/`` for the original paths.

    ``where`` names it to an operator.
    """

    base: str
    where: str

    def place(self, source: str) -> str:
        """The absolute path at which a source is restored."""
        return self.absolute(source.lstrip("/"))

    def absolute(self, path: str) -> str:
        """The absolute path at which the member ``path`` is restored."""
        return f"{self.base.rstrip('/')}/{path}"


def resolve_target(
    asked: str, sources: tuple[str, ...], destination: Path, say: Callable[[str], None]
) -> Target:
    """Check where ``sources`` are to be restored: below ``asked``, or at their own paths when it is empty.

    Links in ``asked`` are followed, and that is said; below it, none is. Nothing is written.

    Raises PluginFailed for a target that is relative or no folder, for one that lies in the backups'
    ``destination`` or would overwrite it, for a link on the way to a source's place, and when the worker
    may not write there.
    """
    target = _below(asked, say) if asked else Target("/", _named(sources))
    backups = os.path.realpath(destination)
    if asked and _contains(backups, target.base):
        raise PluginFailed(
            f"The target {shown(target.base)} lies in the destination {shown(backups)}, among the backups: "
            "choose a target outside of it"
        )
    for source in sources:
        place = target.place(source)
        if _contains(place, backups) or _contains(backups, place):
            raise PluginFailed(
                f"Restoring to {shown(place)} would overwrite the destination {shown(backups)}, where the "
                "backups are: choose another target"
            )
        _refuse_links(target.base, place)
        _refuse_unwritable(place)
    return target


def nearest_existing(path: str) -> str:
    """``path``, or the nearest folder above it that exists."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)  # noqa: PTH120 - a path may not be UTF-8, and stays text throughout
    return path


def _below(asked: str, say: Callable[[str], None]) -> Target:
    if not asked.startswith("/") or "\0" in asked:
        raise PluginFailed(f"The target {asked!r} is not an absolute path: let it begin with '/'")
    given = os.path.normpath(f"/{asked.lstrip('/')}")
    real = os.path.realpath(asked)
    if real != given:
        say(f"The target {shown(given)} is really {shown(real)}: that is where it is restored")
    if os.path.lexists(real) and not Path(real).is_dir():
        raise PluginFailed(
            f"The target {shown(real)} is not a folder: choose a folder, or a path that is free"
        )
    return Target(real, shown(real))


def _named(sources: tuple[str, ...]) -> str:
    more = f" and {len(sources) - _NAMED} more" if len(sources) > _NAMED else ""
    return ", ".join(shown(source) for source in sources[:_NAMED]) + more


def _refuse_links(base: str, place: str) -> None:
    """Refuse what would lead elsewhere: when the backup was made, none of these was a link."""
    path = base.rstrip("/")
    parts = place[len(path) + 1 :].split("/")
    for number, part in enumerate(parts, 1):
        path = f"{path}/{part}"
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            raise PluginFailed(f"Cannot look at {shown(path)}: {reason_of(error)}") from error
        if stat.S_ISLNK(mode):
            raise PluginFailed(
                f"{shown(path)} is a symbolic link now, which was a real path when the backup was made: "
                "remove the link, or restore to another target"
            )
        if number < len(parts) and not stat.S_ISDIR(mode):
            raise PluginFailed(f"{shown(path)} is not a folder: nothing can be restored below it")


def _refuse_unwritable(place: str) -> None:
    near = nearest_existing(place)
    if not Path(near).is_dir():
        near = os.path.dirname(near)  # noqa: PTH120 - as above
    if not os.access(near, os.W_OK | os.X_OK, effective_ids=True):
        raise PluginFailed(
            f"Cannot restore to {shown(place)}: {shown(near)} is not writable for the worker's user "
            f"(uid {os.geteuid()}). Let it write there, or choose another target"
        )


def _contains(outer: str, inner: str) -> bool:
    return Path(inner).is_relative_to(outer)
