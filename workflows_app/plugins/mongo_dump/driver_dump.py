"""Reads collections by itself: their documents as the server has them, byte for byte, in constant memory."""

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import cast

from pymongo.client_session import ClientSession

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mongo_dump.bson_file import BsonWriter, Damaged, Tally
from workflows_app.plugins.mongo_dump.file_names import data_file, metadata_file
from workflows_app.plugins.mongo_dump.listing import list_collections
from workflows_app.plugins.mongo_dump.manifest import CollectionKind, DumpedCollection
from workflows_app.plugins.mongo_dump.metadata import Metadata, write_metadata
from workflows_app.plugins.mongo_dump.parameters import Consistency
from workflows_app.plugins.mongo_dump.progress import CollectionProgress
from workflows_app.plugins.mongo_server.connection import Client
from workflows_app.plugins.mongo_server.refusals import asking
from workflows_app.plugins.mongo_server.server import Server
from workflows_app.plugins.wording import shown

# Documents of one answer, which has 16 MB at most.
_BATCH = 5000

Catalog = dict[str, tuple[Metadata, ...]]
"""The collections of each database that is dumped."""


class DriverDump:
    """Writes the collections of ``catalog`` below the folder ``root``."""

    def __init__(self, client: Client, server: Server, root: Path, *, gzip: bool) -> None:
        self._client = client
        self._server = server
        self._root = root
        self._gzip = gzip

    def write(
        self, catalog: Catalog, consistency: Consistency, progress: CollectionProgress
    ) -> tuple[DumpedCollection, ...]:
        """Write all files, and answer what is in them.

        With SNAPSHOT, all documents are of the moment of the first read. Raises PluginFailed, OSError, or
        Cancelled.
        """
        found: list[DumpedCollection] = []
        with self._session(consistency) as session:
            for database, collections in catalog.items():
                (self._root / database).mkdir(mode=0o700, parents=True, exist_ok=True)
                found += [self._collection(database, one, session, progress) for one in collections]
        for database, collections in catalog.items():
            self._check_unchanged(database, collections)
        return tuple(found)

    def _session(self, consistency: Consistency) -> "ClientSession | nullcontext[None]":
        if consistency != Consistency.SNAPSHOT:
            return nullcontext()
        with asking(self._server, "begin a session"):
            return self._client.start_session(snapshot=True)

    def _collection(
        self, database: str, collection: Metadata, session: ClientSession | None, progress: CollectionProgress
    ) -> DumpedCollection:
        names = database, collection.name
        full_name = f"{database}.{collection.name}"
        digest = write_metadata(metadata_file(self._root, *names, gzip=self._gzip), collection)
        tally = Tally(0, 0, "")
        progress.begin(full_name)
        if collection.kind != CollectionKind.VIEW:
            tally = self._documents(database, collection.name, session, progress)
            progress.end(full_name, tally.documents, tally.size)
        return DumpedCollection(
            database=database,
            name=collection.name,
            kind=CollectionKind(collection.kind),
            documents=tally.documents,
            size=tally.size,
            sha256=tally.sha256,
            metadata_sha256=digest,
        )

    def _documents(
        self, database: str, name: str, session: ClientSession | None, progress: CollectionProgress
    ) -> Tally:
        path = data_file(self._root, database, name, gzip=self._gzip)
        with BsonWriter(path) as writer, asking(self._server, f"read '{database}.{name}'"):
            # What comes is documents as they are, though the driver's types say otherwise.
            batches = self._client[database][name].find_raw_batches({}, session=session, batch_size=_BATCH)
            for batch in cast("Iterable[bytes]", batches):
                try:
                    writer.write(batch)
                except Damaged as error:
                    raise PluginFailed(
                        f"What {self._server.where} answered for {shown(f'{database}.{name}')} is no "
                        f"document: {error}"
                    ) from None
                progress.add(len(batch))
        return writer.tally

    def _check_unchanged(self, database: str, before: tuple[Metadata, ...]) -> None:
        """What was dropped or made anew meanwhile was not read as the rest. Raises PluginFailed."""
        after = {one.name: one.uuid for one in list_collections(self._client, self._server, database)}
        for one in before:
            if one.kind != CollectionKind.VIEW and after.get(one.name) != one.uuid:
                raise PluginFailed(
                    f"The collection {database}.{one.name} was dropped, renamed or made anew while it was "
                    "dumped: dump again when that is over"
                )
