"""A dump on disk: what it says of itself, and whether all of it can be read."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.postgres_dump.parameters import DumpFormat
from workflows_app.plugins.postgres_server.programs import Programs
from workflows_app.plugins.wording import reason_of, shown

FILE_NAMES = {DumpFormat.CUSTOM: "postgres.dump", DumpFormat.DIRECTORY: "postgres.dir"}

# The lines of `pg_restore --list` that begin with a semicolon.
_HEADER = re.compile(r";\s+(dbname|TOC Entries|Dumped from database version): (.*)")

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that was read to its end. ``version`` is that of the server it comes from, ``major`` its first
    part, ``entries`` how many things are in it.
    """

    path: Path
    database: str
    version: str
    major: int
    entries: int


def verify_dump(programs: Programs, restore_command: str, path: Path) -> Dump:
    """Read the table of contents of a dump, and then all of the dump, and answer what it says of itself.

    Nothing is loaded anywhere. The pg_restore of a pod reads what is sent to it. Raises PluginFailed when any
    of it cannot be read; Cancelled.
    """
    if programs.pod and path.is_dir():
        raise PluginFailed(
            f"The dump {shown(str(path))} is a folder, which cannot be streamed into a pod: leave "
            "PodSelector empty for this restore"
        )
    header: dict[str, str] = {}

    def hear(line: str) -> None:
        if found := _HEADER.fullmatch(line):
            header.setdefault(found[1], found[2])

    try:
        _read(programs, [restore_command, "--list"], path, hear)
        # Without a database, pg_restore unpacks everything into a script.
        _read(programs, [restore_command, "--file=/dev/null"], path)
    except PluginFailed as error:
        raise PluginFailed(f"The dump {shown(str(path))} cannot be read: {error}") from None
    version = header.get("Dumped from database version", "")
    major = re.match(r"[0-9]+", version)
    if major is None:
        raise PluginFailed(f"The dump {shown(str(path))} does not say from which server it is")
    return Dump(
        path=path,
        database=header.get("dbname", ""),
        version=version.partition(" ")[0],
        major=int(major[0]),
        entries=int(header.get("TOC Entries", "0")),
    )


def read_pieces(path: Path, on_bytes: Callable[[int], None] = lambda done: None) -> Iterator[bytes]:
    """The bytes of a dump of one file; ``on_bytes`` is told how many were read. Raises PluginFailed."""
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
                on_bytes(file.tell())
    except OSError as error:
        raise PluginFailed(f"Cannot read {shown(str(path))}: {reason_of(error)}") from None


def _read(
    programs: Programs, argv: list[str], path: Path, on_output: Callable[[str], None] | None = None
) -> None:
    if programs.pod:
        programs.give(programs.pod, argv, read_pieces(path), on_output=on_output)
    else:
        programs.run([*argv, str(path)], on_output=on_output)
