"""The names of a dump's files: those that mongodump gives, so that mongorestore reads them."""

import hashlib
from base64 import urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote, unquote

# What Go's url.PathEscape leaves as it is, less the colon, which mongodump escapes for Windows.
_PLAIN = "$&+=@~-_."
# A file name has 255 bytes, and ".metadata.json.gz" is added: mongodump cuts longer names so.
_MOST = 238
_KEPT = 208

METADATA = ".metadata.json"
DATA = ".bson"
GZIP = ".gz"


def file_stem(collection: str) -> str:
    """What the names of a collection's files begin with."""
    escaped = quote(collection, safe=_PLAIN)
    if len(escaped) <= _MOST:
        return escaped
    digest = hashlib.sha1(collection.encode(), usedforsecurity=False).digest()
    return f"{escaped[:_KEPT]}%24{urlsafe_b64encode(digest).decode().rstrip('=')}"


def data_file(root: Path, database: str, collection: str, *, gzip: bool) -> Path:
    """Where a collection's documents are, below the folder ``root`` of a dump."""
    return root / database / f"{file_stem(collection)}{DATA}{GZIP if gzip else ''}"


def metadata_file(root: Path, database: str, collection: str, *, gzip: bool) -> Path:
    """Where a collection's options and indexes are, below the folder ``root`` of a dump."""
    return root / database / f"{file_stem(collection)}{METADATA}{GZIP if gzip else ''}"


def collection_of(path: Path) -> str:
    """The collection of a metadata file whose name was not cut."""
    return unquote(path.name.removesuffix(GZIP).removesuffix(METADATA))
