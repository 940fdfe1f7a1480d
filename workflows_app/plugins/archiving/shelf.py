"""What second storage must be able to do; how it does that is each archive plugin's own matter.

All methods raise PluginFailed, with words for the operator, when the storage refuses or does not answer.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, Protocol

from workflows_app.domain.results import Archive
from workflows_app.plugins.archiving.source import SourceEntry
from workflows_app.plugins.archiving.sums import Sums

Advance = Callable[[int], None]
"""Is given the bytes that were stored since its last call; what it raises ends the work."""


class Parcel(Protocol):
    """An archive in the making, which is in no list yet."""

    def add_folder(self, path: str) -> None:
        """Keep an empty folder, where the storage knows folders; the record tells of it in any case."""

    def add_file(self, entry: SourceEntry, advance: Advance) -> Sums:
        """Store a file and answer what was read of it, once the storage holds the same."""

    def publish(self, record: BinaryIO) -> None:
        """Store the record, last: the archive is complete from then on."""


class Shelf(Protocol):
    """The archives of one configuration on second storage; ``where`` names the place for people."""

    where: str

    def archives(self) -> tuple[Archive, ...]:
        """The complete archives, of every policy and ``BackupName``, the oldest first."""

    def leftovers(self) -> tuple[str, ...]:
        """The names of what an interrupted archive or deletion left behind: never a complete archive."""

    def clear(self, name: str) -> None:
        """Remove a leftover."""

    def delete(self, name: str) -> None:
        """Delete an archive. When this raises, the archive is whole, or in no list any more."""

    def locked_until(self, name: str) -> datetime | None:
        """Until when the storage keeps an archive from being deleted; None for no lock."""

    def put(self, name: str) -> AbstractContextManager[Parcel]:
        """A new archive, of which nothing stays when the block raises anything."""

    def record(self, name: str) -> Iterator[bytes]:
        """The pieces of an archive's record. Raises PluginFailed when there is no such archive."""

    def pieces(self, name: str, path: str) -> Iterator[bytes]:
        """The pieces of a file of an archive."""
