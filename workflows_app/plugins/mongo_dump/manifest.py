"""What a dump has: written beside it when it is complete, and held against it before it is loaded."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from pydantic import ValidationError

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.wire import WireModel
from workflows_app.plugins.mongo_dump.bson_file import Damaged, tally_of
from workflows_app.plugins.mongo_dump.file_names import data_file, metadata_file
from workflows_app.plugins.mongo_dump.metadata import hash_of
from workflows_app.plugins.mongo_dump.parameters import Consistency
from workflows_app.plugins.mongo_server.facts import Release
from workflows_app.plugins.mongo_server.server import database_name
from workflows_app.plugins.wording import reason_of, shown

DUMP = "dump"
MANIFEST = "manifest.json"
_MOST_BYTES = 256 * 1024 * 1024


class CollectionKind(StrEnum):
    """What has a name in a database."""

    COLLECTION = "collection"
    VIEW = "view"
    TIMESERIES = "timeseries"


class DumpedCollection(WireModel):
    """A collection in a dump: its documents, their bytes, and the SHA-256 of its two files.

    A view has no documents, and no file of them.
    """

    database: str
    name: str
    kind: CollectionKind = CollectionKind.COLLECTION
    documents: int = 0
    size: int = 0
    sha256: str = ""
    metadata_sha256: str

    @property
    def full_name(self) -> str:
        """The collection as people know it: ``shop.ledger``."""
        return f"{self.database}.{self.name}"

    @property
    def data_name(self) -> str:
        """The collection whose file has the documents: of a time series, it is one of the server's own."""
        return f"system.buckets.{self.name}" if self.kind == CollectionKind.TIMESERIES else self.name


class Manifest(WireModel):
    """A whole dump.

    ``database`` is empty for a dump of all. ``consistency`` is SNAPSHOT or COLLECTION; ``moment`` is when
    its reading began, in ISO 8601. ``tool`` says what read it.
    """

    version: int = 1
    server_version: str
    database: str = ""
    consistency: Consistency
    moment: str
    tool: str
    gzip: bool
    collections: tuple[DumpedCollection, ...] = ()

    @property
    def release(self) -> Release:
        """The first two parts of the server's version."""
        first, second = self.server_version.split(".")[:2]
        return int(first), int(second)

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases that have anything in the dump, sorted; the one of a dump of one in any case."""
        found = {collection.database for collection in self.collections}
        return tuple(sorted(found | ({self.database} if self.database else set())))

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return sum(collection.documents for collection in self.collections)

    @property
    def size(self) -> int:
        """The bytes of all documents."""
        return sum(collection.size for collection in self.collections)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of the dump in ``folder``. Raises OSError."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(by_alias=True, indent=1) + "\n")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the dump in ``folder``. Raises PluginFailed when it cannot be read or is no such."""
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PluginFailed(f"{shown(str(path))} is no manifest of a dump: it is too large")
        manifest = Manifest.model_validate_json(path.read_bytes())
        _check(manifest)
    except OSError as error:
        raise PluginFailed(f"{shown(str(path))} cannot be read: {reason_of(error)}") from None
    except (ValidationError, ValueError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise PluginFailed(f"{shown(str(path))} is no manifest of a dump: {said}") from None
    return manifest


def verify_dump(
    folder: Path, check_cancelled: Callable[[], None], on_bytes: Callable[[int], None] = lambda done: None
) -> Manifest:
    """Hold all files of the dump in ``folder`` against its manifest. Nothing is loaded anywhere.

    ``on_bytes`` is told how many bytes of documents were read. Raises PluginFailed for what is missing or
    damaged; what ``check_cancelled`` does.
    """
    manifest = read_manifest(folder)
    root = folder / DUMP
    done = 0
    for collection in manifest.collections:
        names = collection.database, collection.name
        metadata = metadata_file(root, *names, gzip=manifest.gzip)
        _held(metadata, hash_of(metadata), collection.metadata_sha256)
        if not collection.sha256:
            continue
        path = data_file(root, collection.database, collection.data_name, gzip=manifest.gzip)

        def hear(size: int, before: int = done) -> None:
            check_cancelled()
            on_bytes(before + size)

        try:
            tally = tally_of(path, hear)
        except Damaged as error:
            raise PluginFailed(f"The dump is damaged: {shown(str(path))}: {error}") from None
        except OSError as error:
            raise PluginFailed(f"{shown(str(path))} cannot be read: {reason_of(error)}") from None
        _held(path, tally.sha256, collection.sha256)
        if (tally.documents, tally.size) != (collection.documents, collection.size):
            raise PluginFailed(f"{shown(str(path))} has not the documents that the manifest says")
        done += tally.size
    return manifest


def _held(path: Path, found: str, expected: str) -> None:
    if found != expected:
        raise PluginFailed(f"The dump is damaged: {shown(str(path))} is not what it was when it was made")


def _check(manifest: Manifest) -> None:
    """Names become paths and collections: what nobody could have dumped is refused. Raises ValueError."""
    if manifest.version != 1:
        raise ValueError(f"its form {manifest.version} is not known to this version")
    _ = manifest.release
    for name in manifest.databases:
        try:
            database_name("database", name)
        except Exception as error:
            raise ValueError(str(error)) from None
    for collection in manifest.collections:
        name = collection.name
        if not name or "\0" in name or name.startswith((".", "system.")) or name.endswith("."):
            raise ValueError(f"{name!r} is no name of a collection")
