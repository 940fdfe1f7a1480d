"""Holds a backup's members against what is at their places now, in constant memory.

The archive is in the order of a walk, so that a second walk meets the same paths in the same order.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import groupby

from workflows_app.plugins.filesystem.members import Member
from workflows_app.plugins.filesystem.stored import Stored
from workflows_app.plugins.filesystem.target import Target
from workflows_app.plugins.filesystem.walk import Entry, walk

Pair = tuple[Member | None, Entry | None]
"""A member and what is at its place; None for what the backup, or the place, has not."""


def compare(stored: Stored, target: Target, on_error: Callable[[str, OSError], None]) -> Iterator[Pair]:
    """Yield what is in the backup, at the target, or both. An entry can be used until the next is asked for.

    ``on_error`` is given what cannot be looked at, which then counts as not there. Raises PluginFailed as
    ``Stored.members``.
    """

    def tell(path: str, error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            on_error(path, error)

    for root, members in groupby(stored.members(), stored.source_of):
        with closing(walk(target.place(root), tell)) as entries:
            yield from _merge(members, entries, len(target.absolute("")))


def _merge(members: Iterator[Member], entries: Iterator[Entry], prefix: int) -> Iterator[Pair]:
    member, entry = next(members, None), next(entries, None)
    while member or entry:
        place = _order(member.path) if member else None
        found = _order(entry.path[prefix:]) if entry else None
        has_member = place is not None and (found is None or place <= found)
        has_entry = found is not None and (place is None or found <= place)
        yield member if has_member else None, entry if has_entry else None
        if has_member:
            member = next(members, None)
        if has_entry:
            entry = next(entries, None)


def _order(path: str) -> list[str]:
    """The place of a path in a walk, which sorts name by name."""
    return path.split("/")
