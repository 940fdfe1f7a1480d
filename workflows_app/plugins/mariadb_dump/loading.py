"""Loads a dump that was restored to disk into a database, or into those that it comes from."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.mariadb_dump.dump_file import Dump, read_dump, verify_dump
from workflows_app.plugins.mariadb_dump.dumping import MAX_PACKET, PIPE
from workflows_app.plugins.mariadb_dump.parameters import Parameters
from workflows_app.plugins.mariadb_dump.pipe import Pipe
from workflows_app.plugins.mariadb_server.facts import DatabaseFacts, look
from workflows_app.plugins.mariadb_server.programs import Programs
from workflows_app.plugins.wording import reason_of, shown

_MODE = b", SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */"
_LENIENT_MODE = b", SQL_MODE='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES' */"


def check_target(programs: Programs, parameters: Parameters, databases: tuple[str, ...]) -> DatabaseFacts:
    """Look whether a dump may be loaded into ``databases``, and answer what is there.

    Raises PluginFailed when the server cannot be reached or MysqlRestoreDb does not exist; ConfigInvalid when
    one is not empty and may not be cleaned.
    """
    programs.release("MysqlRestoreCmd", parameters.client, "mariadb")
    facts = look(programs, parameters.client, databases)
    if parameters.restore_database in databases and not facts.databases:
        raise PluginFailed(
            f"There is no database {parameters.restore_database!r} on {parameters.server.where} that the "
            f"user {parameters.server.user!r} is shown: create it, or correct MysqlRestoreDb"
        )
    if facts.objects and not parameters.clean:
        raise ConfigInvalid(
            "MysqlRestoreClean",
            f"{_quoted(facts.databases)} on {parameters.server.where} is not empty ({facts.tables} tables): "
            "set MysqlRestoreClean to 'true' to let the restore replace what the dump has, or restore into "
            "an empty database (MysqlRestoreDb)",
        )
    return facts


def load_dump(context: PluginContext, parameters: Parameters, path: Path) -> None:
    """Load the dump at ``path``.

    It is verified first, and refused when its server was newer than this one. What MariaDB does to tables is
    in no transaction: a load that ends early leaves a part. Raises ConfigInvalid, PluginFailed, or Cancelled;
    each says what that left.
    """
    programs = Programs(context, parameters.server)
    dump = verify_dump(path, context.check_cancelled)
    into = _target(parameters, dump)
    names = (into,) if into else dump.databases
    facts = check_target(programs, parameters, names)
    if facts.release < dump.release:
        raise PluginFailed(
            f"The dump is of MariaDB {dump.version}, the server {parameters.server.where} is older "
            f"({facts.version}): nothing was changed. Restore to a server of version "
            f"{dump.release[0]}.{dump.release[1]} or newer"
        )
    context.info(
        f"Loading the dump of MariaDB {dump.version} into {_quoted(names)} of MariaDB {facts.version} on "
        f"{parameters.server.where}"
    )
    left = f"a part of the dump may be in {_quoted(names)}. Restore again, with MysqlRestoreClean 'true'"
    try:
        _load(programs, parameters, dump, into)
    except Cancelled:
        context.warn(f"The restore was cancelled: {left}")
        raise
    except PluginFailed as error:
        raise PluginFailed(f"The restore failed, and {left}. {error}") from None
    found = look(programs, parameters.client, names)
    context.info(f"Restored {_quoted(names)}: {found.tables} tables, {size_words(dump.size)} of SQL")


def _target(parameters: Parameters, dump: Dump) -> str:
    """The one database that is loaded into; none when the dump has the names for itself."""
    if dump.databases and parameters.restore_database:
        raise ConfigInvalid(
            "MysqlRestoreDb",
            f"the dump is of several databases ({_quoted(dump.databases)}), which a restore brings back "
            "under their own names: leave MysqlRestoreDb and MysqlDb empty",
        )
    if not dump.databases and not parameters.restore_database:
        raise ConfigInvalid("MysqlRestoreDb", "is empty: the dump is of one database, say which to load into")
    return parameters.restore_database


def _load(programs: Programs, parameters: Parameters, dump: Dump, into: str) -> None:
    context = programs.context
    total = dump.path.stat().st_size
    pieces = _lenient(read_dump(dump.path, lambda done: context.report(_report(done, total))))
    argv = [
        parameters.client,
        "--no-defaults",
        *parameters.server.arguments,
        "--default-character-set=utf8mb4",
        MAX_PACKET,
        f"--init-command=SET SESSION lock_wait_timeout={parameters.lock_wait}",
        "--batch",
        *([f"--database={into}"] if into else []),
    ]
    try:
        if programs.pod is None:
            _load_by_pipe(programs, argv, pieces)
        else:
            programs.give(programs.pod, argv, _judge, pieces)
            if next(pieces, None) is not None:
                raise PluginFailed("mariadb ended before it had read all of the dump")
    except OSError as error:
        raise PluginFailed(f"Cannot read {shown(str(dump.path))}: {reason_of(error)}") from None
    except zstandard.ZstdError as error:
        raise PluginFailed(f"Cannot read {shown(str(dump.path))}: it is damaged ({error})") from None


def _load_by_pipe(programs: Programs, argv: list[str], pieces: Iterator[bytes]) -> None:
    """Raises OSError and ZstdError, too, when the dump cannot be read."""

    def feed(stream: BinaryIO) -> None:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[stream.write(view) :]

    with tempfile.TemporaryDirectory(prefix="fossul-") as folder:
        pipe = Pipe(Path(folder) / PIPE, "wb", feed)
        with pipe:
            programs.run([*argv, "--abort-source-on-error", f"--execute=source {pipe.path}"], judge=_judge)
    if pipe.error is not None:
        raise pipe.error


def _lenient(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The dump, with a mode in which it loads all that it has.

    In the one that it sets itself, a date such as 2026-02-31, which a server takes with ALLOW_INVALID_DATES,
    becomes 0000-00-00, and nobody is told.
    """
    yield next(pieces, b"").replace(_MODE, _LENIENT_MODE, 1)  # among the first lines
    yield from pieces


def _report(done: int, total: int) -> Report:
    return Report(done_bytes=done, total_bytes=total, note="loading the dump")


def _judge(line: str) -> tuple[Level, str] | None:
    """Its errors alone: around them it prints the statement, which has rows in it."""
    return (Level.ERROR, line) if line.startswith("ERROR ") else None


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(repr(name) for name in names)
