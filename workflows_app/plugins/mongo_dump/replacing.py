"""Loads collections beside those that are there, and lets them take their place when all are whole.

MongoDB has no transaction over changes of structure. So each collection is loaded under a name of its own,
and renamed over the old one at the end, which the server does at once. A load that ends before that has
changed nothing.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from bson.raw_bson import RawBSONDocument
from pymongo import WriteConcern
from pymongo.database import Database

from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.mongo_dump.bson_file import Damaged, read_documents
from workflows_app.plugins.mongo_dump.file_names import data_file, metadata_file
from workflows_app.plugins.mongo_dump.listing import RESTORING, list_collections, names_in
from workflows_app.plugins.mongo_dump.manifest import DUMP, CollectionKind, DumpedCollection, Manifest
from workflows_app.plugins.mongo_dump.metadata import Metadata, read_metadata
from workflows_app.plugins.mongo_dump.parameters import Parameters
from workflows_app.plugins.mongo_dump.progress import CollectionProgress
from workflows_app.plugins.mongo_server.connection import CODEC, Client, Document
from workflows_app.plugins.mongo_server.refusals import asking
from workflows_app.plugins.wording import reason_of, shown

# What one message to the server has: well below its 48 MB.
_BATCH_BYTES = 8 * 1024 * 1024
_BATCH_DOCUMENTS = 1000
# What only old servers had, and new ones refuse.
_DROPPED_OPTIONS = ("autoIndexId", "uuid")


class Replacement:
    """The load of one dump, whose files are in ``folder``."""

    def __init__(
        self,
        context: PluginContext,
        client: Client,
        parameters: Parameters,
        manifest: Manifest,
        folder: Path,
    ) -> None:
        self._context = context
        self._client = client
        self._parameters = parameters
        self._manifest = manifest
        self._root = folder / DUMP
        self._prefix = f"{RESTORING}{context.config.workflow_id}."

    def load(self, into: dict[str, str], progress: CollectionProgress) -> None:
        """Load each database of the dump into that of ``into``.

        What an earlier attempt of the same run left is removed before. Raises PluginFailed or Cancelled,
        which say what was left.
        """
        databases = tuple(dict.fromkeys(into.values()))
        loaded: list[tuple[DumpedCollection, Metadata, str]] = []
        try:
            self._drop_loaded(databases)
            for number, one in enumerate(self._manifest.collections, 1):
                metadata = read_metadata(
                    metadata_file(self._root, one.database, one.name, gzip=self._manifest.gzip)
                )
                place = f"{self._prefix}{number}"
                if one.kind == CollectionKind.COLLECTION:
                    progress.begin(one.full_name)
                    self._load(into[one.database], one, metadata, place, progress)
                    progress.end(one.full_name, one.documents, one.size)
                loaded.append((one, metadata, place))
            self._context.check_cancelled()
        except Cancelled:
            self._give_up(databases)
            self._context.warn("The restore was cancelled: nothing was changed")
            raise
        except PluginFailed as error:
            self._give_up(databases)
            raise PluginFailed(f"The restore failed, and nothing was changed: {error}") from None
        self._take_place(into, loaded)

    def _load(
        self,
        database: str,
        one: DumpedCollection,
        metadata: Metadata,
        place: str,
        progress: CollectionProgress,
    ) -> None:
        opened = self._database(database)
        with asking(self._parameters.server, f"make {one.full_name!r}"):
            opened.command({"create": place, **_options(metadata)})
        path = data_file(self._root, one.database, one.name, gzip=self._manifest.gzip)
        collection = opened.get_collection(place, write_concern=WriteConcern(w="majority"))
        try:
            for batch in _batches(read_documents(path)):
                with asking(self._parameters.server, f"write documents of {one.full_name!r}"):
                    # A rule for documents may be younger than some of them.
                    collection.insert_many(
                        [RawBSONDocument(document) for document in batch], bypass_document_validation=True
                    )
                progress.add(sum(map(len, batch)))
        except OSError as error:
            raise PluginFailed(f"{shown(str(path))} cannot be read: {reason_of(error)}") from None
        except Damaged as error:
            raise PluginFailed(f"{shown(str(path))} is damaged: {error}") from None
        if indexes := metadata.made_indexes:
            with asking(self._parameters.server, f"make the {len(indexes)} indexes of {one.full_name!r}"):
                opened.command({"createIndexes": place, "indexes": indexes})

    def _take_place(self, into: dict[str, str], loaded: list[tuple[DumpedCollection, Metadata, str]]) -> None:
        """From here on there is something new. Raises PluginFailed, which says how far that is."""
        done = 0
        try:
            kinds = {name: self._kinds(name) for name in dict.fromkeys(into.values())}
            for one, metadata, place in loaded:
                database = into[one.database]
                with asking(self._parameters.server, f"put {database}.{one.name} into its place"):
                    self._put(database, one, metadata, place, kinds[database].get(one.name, ""))
                done += 1
            if self._parameters.drop_others:
                self._drop_others(into)
            self._check_kept(into, loaded)
        except PluginFailed as error:
            raise PluginFailed(
                f"The restore failed when {done} of {len(loaded)} collections were in their place; the "
                f"rest is as it was. Restore again, with MongoRestoreClean 'true'. {error}"
            ) from None

    def _put(
        self, database: str, one: DumpedCollection, metadata: Metadata, place: str, present: str
    ) -> None:
        """Let what was loaded take its place; ``present`` is the kind of what has it, empty for nothing."""
        opened = self._database(database)
        if one.kind == CollectionKind.VIEW:
            if present:
                opened.drop_collection(one.name)
            opened.command({"create": one.name, **_options(metadata)})
            return
        if present and present != CollectionKind.COLLECTION:
            opened.drop_collection(one.name)
        self._client.admin.command(
            {
                "renameCollection": f"{database}.{place}",
                "to": f"{database}.{one.name}",
                "dropTarget": True,
            }
        )

    def _drop_others(self, into: dict[str, str]) -> None:
        for source, database in into.items():
            kept = {one.name for one in self._manifest.collections if one.database == source}
            for name in names_in(self._client, self._parameters.server, database):
                if name not in kept and not name.startswith(RESTORING):
                    with asking(self._parameters.server, f"drop {database}.{name}"):
                        self._database(database).drop_collection(name)
                    self._context.info(f"Dropped {database}.{name}, which the dump does not have")

    def _check_kept(self, into: dict[str, str], loaded: list[tuple[DumpedCollection, Metadata, str]]) -> None:
        """Say what the server made otherwise than the dump has it."""
        found = {
            (database, one.name): one
            for database in dict.fromkeys(into.values())
            for one in list_collections(self._client, self._parameters.server, database)
        }
        for one, metadata, _ in loaded:
            database = into[one.database]
            made = found.get((database, one.name))
            if made is None:
                raise PluginFailed(f"{database}.{one.name} is gone again: somebody else has dropped it")
            lost = sorted(key for key, value in _options(metadata).items() if made.options.get(key) != value)
            if lost:
                self._context.warn(
                    f"The server did not keep options of {database}.{one.name} as the dump has them: "
                    f"{', '.join(lost)}"
                )
            names = {str(index["name"]) for index in metadata.made_indexes}
            if gone := sorted(names - {str(index["name"]) for index in made.indexes}):
                raise PluginFailed(f"{database}.{one.name} is without its indexes {', '.join(gone)}")

    def _kinds(self, database: str) -> dict[str, str]:
        with asking(self._parameters.server, f"list the collections of {database!r}"):
            return {
                str(info["name"]): str(info.get("type", "collection"))
                for info in self._database(database).list_collections()
            }

    def _drop_loaded(self, databases: Iterable[str]) -> None:
        for database in databases:
            for name in names_in(self._client, self._parameters.server, database):
                if name.startswith(self._prefix):
                    with asking(self._parameters.server, f"drop {database}.{name}"):
                        self._database(database).drop_collection(name)

    def _give_up(self, databases: Iterable[str]) -> None:
        """Remove what was loaded; where that cannot be, say what stays."""
        try:
            self._drop_loaded(databases)
        except PluginFailed as error:
            self._context.warn(
                f"What was loaded stays beside the rest, in collections that begin with {self._prefix!r}: "
                f"drop them by hand, unless the step is tried again. {error}"
            )

    def _database(self, name: str) -> "Database[Document]":
        return self._client.get_database(name, codec_options=CODEC, write_concern=WriteConcern(w="majority"))


def _options(metadata: Metadata) -> Document:
    return {key: value for key, value in metadata.options.items() if key not in _DROPPED_OPTIONS}


def _batches(documents: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for document in documents:
        if batch and (size + len(document) > _BATCH_BYTES or len(batch) == _BATCH_DOCUMENTS):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += len(document)
    if batch:
        yield batch
