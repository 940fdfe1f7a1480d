"""A dump on disk: how it is written and read, what it says of itself, and whether all of it is there."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.databases.new_file import new_file
from workflows_app.plugins.mariadb_dump.parameters import DumpFormat
from workflows_app.plugins.mariadb_server.programs import Release
from workflows_app.plugins.wording import reason_of, shown

FILE_NAMES = {DumpFormat.ZSTD: "mariadb.sql.zst", DumpFormat.PLAIN: "mariadb.sql"}

_CHUNK = 1024 * 1024
# The header has some hundred bytes before this line, and is written at once.
_HEAD_BYTES = 4096
_SERVER = re.compile(rb"^-- Server version\s+(?:5\.5\.5-)?(([0-9]+)\.([0-9]+)\.\S*)$", re.MULTILINE)
# Only in a dump of several databases. No row has a line break of its own.
_DATABASE = re.compile(rb"\n-- Current Database: `((?:[^`\n]|``)+)`\n")
_DATABASE_BYTES = 512
_COMPLETED = re.compile(rb"\n-- Dump completed on [-0-9: ]+\n\Z")


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that was read to its end. ``version`` is that of the server it comes from, ``release`` its first
    two parts; ``databases`` are the names that it has for itself, none in a dump of one database. ``size`` is
    that of the SQL, in bytes.
    """

    path: Path
    version: str
    release: Release
    databases: tuple[str, ...]
    size: int


@contextmanager
def dump_writer(path: Path, level: int, on_bytes: Callable[[int], None]) -> Iterator[Callable[[bytes], None]]:
    """Writes SQL into a new file, compressed when its name says so. Raises as ``new_file`` does.

    ``on_bytes`` is told how much SQL it was until now.
    """
    with new_file(path) as file:
        written = 0
        packer = zstandard.ZstdCompressor(level=level, write_checksum=True).compressobj()
        plain = path.name == FILE_NAMES[DumpFormat.PLAIN]

        def write(chunk: bytes) -> None:
            nonlocal written
            file.write(chunk if plain else packer.compress(chunk))
            written += len(chunk)
            on_bytes(written)

        yield write
        if not plain:
            file.write(packer.flush())


def write_dump(stream: BinaryIO, path: Path, level: int, on_bytes: Callable[[int], None]) -> None:
    """Write what comes from ``stream`` as ``dump_writer`` does. Raises OSError."""
    with dump_writer(path, level, on_bytes) as write:
        while chunk := stream.read(_CHUNK):
            write(chunk)


def read_dump(path: Path, on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    """The SQL of a dump in pieces; ``on_bytes`` is told how far in the file that is.

    Raises OSError, or zstandard.ZstdError for what is damaged.
    """
    with ExitStack() as stack:
        file: BinaryIO = stack.enter_context(path.open("rb"))
        source = file
        if path.name != FILE_NAMES[DumpFormat.PLAIN]:
            # What is behind the end of a frame is read as another one, so that it is not passed over.
            unpacker = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            source = stack.enter_context(unpacker)
        while piece := source.read(_CHUNK):
            on_bytes(file.tell())
            yield piece


def verify_dump(path: Path, check_cancelled: Callable[[], None]) -> Dump:
    """Read all of a dump and answer what it says of itself. Nothing is loaded anywhere.

    Raises PluginFailed when it cannot be read, or has not all that was dumped; what ``check_cancelled`` does.
    """
    what = f"The dump {shown(str(path))}"
    head, tail, size = b"", b"", 0
    databases: dict[str, None] = {}
    try:
        for piece in read_dump(path, lambda done: check_cancelled()):
            head += piece[: max(0, _HEAD_BYTES - len(head))]
            size += len(piece)
            tail += piece
            for name in _DATABASE.findall(tail):
                databases[name.replace(b"``", b"`").decode(errors="replace")] = None
            tail = tail[-_DATABASE_BYTES:]
    except zstandard.ZstdError as error:
        raise PluginFailed(f"{what} cannot be read: it is damaged ({error})") from None
    except OSError as error:
        raise PluginFailed(f"{what} cannot be read: {reason_of(error)}") from None
    server = _SERVER.search(head)
    if server is None:
        raise PluginFailed(f"{what} does not say from which server it is: it is no dump of mariadb-dump")
    if not _COMPLETED.search(tail):
        raise PluginFailed(f"{what} is not complete: its last line is not '-- Dump completed'")
    return Dump(
        path=path,
        version=server[1].decode(),
        release=(int(server[2]), int(server[3])),
        databases=tuple(databases),
        size=size,
    )
