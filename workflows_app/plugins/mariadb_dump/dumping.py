"""Makes a dump: by mariadb-dump, verified, and there whole or not at all."""

from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.leftovers import end_leftovers
from workflows_app.plugins.mariadb_dump.dump_file import FILE_NAMES, dump_writer, verify_dump, write_dump
from workflows_app.plugins.mariadb_dump.parameters import Parameters
from workflows_app.plugins.mariadb_dump.pipe import Pipe
from workflows_app.plugins.mariadb_dump.progress import DumpProgress
from workflows_app.plugins.mariadb_server.facts import DatabaseFacts, look, named
from workflows_app.plugins.mariadb_server.grants import check_rights
from workflows_app.plugins.mariadb_server.programs import Programs
from workflows_app.plugins.staging.folder import Staging
from workflows_app.plugins.wording import reason_of, shown

PIPE = "pipe"
# The most that MariaDB has: a row that is larger than its limit ends a dump.
MAX_PACKET = "--max-allowed-packet=1073741824"
# The first release whose mariadb-dump has --dump-history.
_HISTORY = (10, 11)


def make_dump(context: PluginContext, parameters: Parameters, staging: Staging) -> None:
    """Dump the database, or all of them, into ``staging``: the state at the moment at which the dump begins.

    Nothing is frozen: others read and write; only changes to the structure of a table wait while that table
    is dumped. Raises ConfigInvalid, PluginFailed, or Cancelled; then no dump is there.
    """
    programs = Programs(context, parameters.server)
    programs.release("MysqlRestoreCmd", parameters.client, "mariadb")
    facts = look(programs, parameters.client, [parameters.database] if parameters.database else None)
    check_dump(context, programs, parameters, facts)
    context.info(
        f"Dumping {parameters.what} of MariaDB {facts.version} on {parameters.server.where}: "
        f"{facts.tables} tables, {size_words(facts.size)}"
    )
    end_leftovers(context, pipe_argument(staging))
    try:
        with staging.filling(context.warn) as folder:
            path = folder / FILE_NAMES[parameters.format]
            _dump(programs, parameters, facts, path)
            dump = verify_dump(path, context.check_cancelled)
            size = path.stat().st_size
    except PluginFailed as error:
        raise PluginFailed(
            f"No dump of {parameters.what} was made, and nothing is kept of it: {error}"
        ) from None
    context.info(
        f"Dump {shown(str(staging.path / path.name))} completed: {size_words(dump.size)} of SQL in "
        f"{size_words(size)}, verified"
    )


def pipe_argument(staging: Staging) -> str:
    """The argument by which a run's mariadb-dump is known among the processes of the machine."""
    return f"--result-file={staging.partial / PIPE}"


def check_dump(
    context: PluginContext, programs: Programs, parameters: Parameters, facts: DatabaseFacts
) -> None:
    """Refuse a dump that would fail, or not have all. Raises ConfigInvalid, PluginFailed, Cancelled."""
    release = programs.release("MysqlDumpCmd", parameters.dump_command, "mariadb-dump")
    if release < facts.release:
        raise ConfigInvalid(
            "MysqlDumpCmd",
            f"mariadb-dump {release[0]}.{release[1]} cannot dump all of a server of version {facts.version}: "
            "install MariaDB's client programs of that version, or give the path of such a mariadb-dump",
        )
    if parameters.database and not facts.databases:
        raise PluginFailed(
            f"There is no database {parameters.database!r} on {parameters.server.where} that the user "
            f"{parameters.server.user!r} is shown"
        )
    if not facts.databases:
        raise PluginFailed(f"There are no databases to dump on {parameters.server.where}")
    check_rights(programs, parameters.client, parameters.database or None)
    if facts.unsafe and not parameters.any_engine:
        raise ConfigInvalid(
            "MysqlAnyEngine",
            f"{named(facts.unsafe)} would not be of the same moment as the rest, since their engine has no "
            "transactions: convert them to InnoDB, use the plugin mariadb, or set MysqlAnyEngine to 'true'",
        )
    if facts.unsafe:
        context.warn(f"Not of the same moment as the rest, if written to meanwhile: {named(facts.unsafe)}")
    if facts.versioned and release < _HISTORY:
        raise PluginFailed(
            f"{facts.versioned} tables keep their history, which needs mariadb-dump 10.11 or newer"
        )


def _dump(programs: Programs, parameters: Parameters, facts: DatabaseFacts, path: Path) -> None:
    progress = DumpProgress(programs.context, facts.tables)
    what = ["--", parameters.database] if parameters.database else ["--databases", "--", *facts.databases]
    argv = [
        parameters.dump_command,
        "--no-defaults",
        *parameters.server.arguments,
        "--single-transaction",
        "--routines",
        "--events",
        "--triggers",
        "--hex-blob",
        "--default-character-set=utf8mb4",
        MAX_PACKET,
        *(["--dump-history"] if facts.versioned else []),
        "--verbose",
    ]
    if programs.pod is None:
        _dump_by_pipe(programs, parameters, progress, path, argv, what)
        return
    try:
        with dump_writer(path, parameters.level, progress.count) as write:
            programs.take(programs.pod, [*argv, *what], _judge, progress.hear, write)
    except OSError as error:
        raise PluginFailed(f"Cannot write {shown(str(path))}: {reason_of(error)}") from None


def _dump_by_pipe(
    programs: Programs,
    parameters: Parameters,
    progress: DumpProgress,
    path: Path,
    argv: list[str],
    what: list[str],
) -> None:
    pipe = Pipe(
        path.parent / PIPE, "rb", lambda stream: write_dump(stream, path, parameters.level, progress.count)
    )
    try:
        with pipe:
            programs.run([*argv, f"--result-file={pipe.path}", *what], judge=_judge, on_detail=progress.hear)
    except PluginFailed:
        # mariadb-dump itself only says that it could not write.
        if pipe.error is None:
            raise
    if isinstance(pipe.error, OSError):
        raise PluginFailed(f"Cannot write {shown(str(path))}: {reason_of(pipe.error)}")
    if pipe.error is not None:
        raise pipe.error


def _judge(line: str) -> tuple[Level, str] | None:
    """What is not about its progress is an error, or a warning."""
    if line.startswith("-- "):
        return None
    # Nobody reads on: why is told by the reader, and that is the reason of the failure.
    slight = "warning" in line.lower() or line.endswith("Got errno 32 on write")
    return (Level.WARN if slight else Level.ERROR), line
