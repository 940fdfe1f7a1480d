"""Loads a dump that was restored to disk into a database."""

from pathlib import Path

from psycopg.conninfo import make_conninfo

from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod import Severed
from workflows_app.plugins.postgres_dump.archive import Dump, read_pieces, verify_dump
from workflows_app.plugins.postgres_dump.parameters import Parameters
from workflows_app.plugins.postgres_dump.table_progress import TableProgress
from workflows_app.plugins.postgres_server.programs import Programs
from workflows_app.plugins.postgres_server.psql import opened
from workflows_app.plugins.postgres_server.session import DatabaseFacts

# The program may have had all of the dump by then.
_UNKNOWN = (
    "it is as it was, since all was one transaction, unless pg_restore still ends that in the pod: look at it"
)


def check_target(context: PluginContext, parameters: Parameters) -> DatabaseFacts:
    """Look whether a dump may be loaded into the database that is asked for, and answer what is there.

    Raises PluginFailed when the server cannot be reached or the database does not exist, and ConfigInvalid
    when it is not empty and may not be cleaned.
    """
    with opened(
        context, parameters.server, parameters.restore_database, "PqRestoreCmd", parameters.restore_command
    ) as server:
        facts = server.facts()
    if facts.objects and not parameters.clean:
        raise ConfigInvalid(
            "PqRestoreClean",
            f"database {parameters.restore_database!r} on {parameters.server.where} is not empty "
            f"({facts.tables} tables): set PqRestoreClean to 'true' to let the restore replace what the dump "
            "has, or restore into an empty database (PqRestoreDb)",
        )
    if facts.sessions:
        context.warn(
            f"Database {parameters.restore_database!r} is in use by {facts.sessions} other sessions: the "
            "restore waits for the tables that they have locked"
        )
    return facts


def load_dump(context: PluginContext, parameters: Parameters, path: Path) -> None:
    """Load the dump at ``path`` into the database that is asked for.

    It is verified first, and refused when its server was newer than this one. With one job, all is one
    transaction. Raises ConfigInvalid, PluginFailed, or Cancelled; each says what that left.
    """
    database = parameters.restore_database
    facts = check_target(context, parameters)
    programs = Programs(context, parameters.server, hears_loss=facts.hears_loss)
    programs.major_version("PqRestoreCmd", parameters.restore_command, "pg_restore")
    dump = verify_dump(programs, parameters.restore_command, path)
    if facts.major < dump.major:
        raise PluginFailed(
            f"The dump is of PostgreSQL {dump.version}, the server {parameters.server.where} is older "
            f"({facts.version}): nothing was changed. Restore to a server of version {dump.major} or newer"
        )
    context.info(
        f"Loading the dump of database {dump.database!r} (PostgreSQL {dump.version}) into {database!r} of "
        f"PostgreSQL {facts.version} on {parameters.server.where}"
    )
    progress = TableProgress(context, "Loading")
    try:
        _load(programs, _arguments(parameters), dump, progress)
    except Cancelled:
        left = _UNKNOWN if programs.pod else _left(parameters)
        context.warn(f"The restore of database {database!r} was cancelled: {left}")
        raise
    except Severed as error:
        raise PluginFailed(f"Database {database!r} could not be restored: {_UNKNOWN}. {error}") from None
    except PluginFailed as error:
        raise PluginFailed(
            f"Database {database!r} could not be restored: {_left(parameters)}. {error}"
        ) from None
    context.info(f"Database {database!r} restored: {dump.entries} entries, {progress.begun} tables with rows")


def _load(programs: Programs, argv: list[str], dump: Dump, progress: TableProgress) -> None:
    if programs.pod is None:
        programs.run([*argv, str(dump.path)], on_detail=progress.hear)
        return
    total = dump.path.stat().st_size
    pieces = read_pieces(dump.path, lambda done: progress.count(done, total))
    programs.give(programs.pod, argv, pieces, progress.hear)


def _arguments(parameters: Parameters) -> list[str]:
    clean = ["--clean", "--if-exists"] if parameters.clean else []
    owners = [] if parameters.owners else ["--no-owner", "--no-privileges"]
    one = parameters.restore_jobs == 1
    return [
        parameters.restore_command,
        "--no-password",
        "--verbose",
        "--exit-on-error",
        *clean,
        *owners,
        "--single-transaction" if one else f"--jobs={parameters.restore_jobs}",
        # Quoted, since a name with "=" in it would be taken for connection parameters.
        f"--dbname={make_conninfo(dbname=parameters.restore_database)}",
    ]


def _left(parameters: Parameters) -> str:
    if parameters.restore_jobs == 1:
        return "it is as it was, since all was one transaction"
    return "a part of it may be changed, since PqRestoreJobs is above 1"
