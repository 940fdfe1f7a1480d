"""A collection's options and indexes, in mongodump's metadata files."""

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bson import json_util
from bson.binary import Binary
from bson.errors import BSONError

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mongo_dump.file_names import GZIP
from workflows_app.plugins.mongo_server.connection import Document
from workflows_app.plugins.wording import reason_of, shown

_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a collection is beside its documents.

    ``kind`` is ``collection``, ``view`` or ``timeseries``; ``uuid`` in hex, empty for none. ``indexes`` are
    as the server lists them, the one of ``_id`` among them.
    """

    name: str
    kind: str
    options: Document
    indexes: tuple[Document, ...] = ()
    uuid: str = ""

    @property
    def made_indexes(self) -> list[Document]:
        """The indexes that are not there by themselves, as the command createIndexes wants them."""
        return [
            {key: value for key, value in index.items() if key not in ("ns", "background")}
            for index in self.indexes
            if index.get("key") != {"_id": 1} and not index.get("clustered")
        ]


def uuid_of(info: Any) -> str:
    """The UUID in what a server lists of a collection, in hex; empty for none."""
    uuid = info.get("uuid") if isinstance(info, dict) else None
    return bytes(uuid).hex() if isinstance(uuid, Binary) else getattr(uuid, "hex", "")


def write_metadata(path: Path, metadata: Metadata) -> str:
    """Write a new file, which only its owner may read; answers its SHA-256 in hex. Raises OSError."""
    document = {
        "options": metadata.options,
        "indexes": list(metadata.indexes),
        "uuid": metadata.uuid,
        "collectionName": metadata.name,
        "type": metadata.kind,
    }
    data = json_util.dumps(document, json_options=json_util.CANONICAL_JSON_OPTIONS).encode()
    if path.name.endswith(GZIP):
        data = gzip.compress(data, mtime=0)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def read_metadata(path: Path) -> Metadata:
    """Read a metadata file. Raises PluginFailed when it cannot be read or is none."""
    data = _bytes_of(path)
    try:
        if path.name.endswith(GZIP):
            data = gzip.decompress(data)
        document = json_util.loads(data.decode(), json_options=json_util.CANONICAL_JSON_OPTIONS)
        return Metadata(
            name=str(document.get("collectionName", "")),
            kind=str(document.get("type", "") or "collection"),
            options=dict(document.get("options") or {}),
            indexes=tuple(dict(index) for index in document.get("indexes") or ()),
            uuid=str(document.get("uuid", "")),
        )
    except (ValueError, TypeError, AttributeError, EOFError, OSError, zlib.error, BSONError) as error:
        raise PluginFailed(f"{shown(str(path))} is no description of a collection: {error}") from None


def hash_of(path: Path) -> str:
    """The SHA-256 of a metadata file, in hex. Raises PluginFailed when it cannot be read."""
    return hashlib.sha256(_bytes_of(path)).hexdigest()


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise PluginFailed(f"{shown(str(path))} cannot be read: {reason_of(error)}") from None
    if len(data) > _MOST_BYTES:
        raise PluginFailed(f"{shown(str(path))} is no description of a collection: it is too large")
    return data
