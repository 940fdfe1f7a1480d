"""Makes a dump: by pg_dump, verified, and there whole or not at all."""

import os
import re
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.new_file import new_file
from workflows_app.plugins.postgres_dump.archive import FILE_NAMES, verify_dump
from workflows_app.plugins.postgres_dump.parameters import Parameters
from workflows_app.plugins.postgres_dump.table_progress import TableProgress
from workflows_app.plugins.postgres_server.programs import Programs
from workflows_app.plugins.postgres_server.psql import opened
from workflows_app.plugins.postgres_server.session import DatabaseFacts
from workflows_app.plugins.staging.folder import Staging
from workflows_app.plugins.wording import reason_of, shown

# What pg_dump says when --lock-wait-timeout is over.
_LOCKED = re.compile(r"due to (?:statement|lock) timeout; Query was: LOCK TABLE")


def make_dump(context: PluginContext, parameters: Parameters, staging: Staging) -> None:
    """Dump the database into ``staging``: its state at the moment at which pg_dump begins.

    The database is not frozen: it goes on reading and writing, only changes to the structure of a table wait.
    Raises ConfigInvalid, PluginFailed, or Cancelled; then no dump is there.
    """
    with opened(
        context, parameters.server, parameters.database, "PqDumpCmd", parameters.dump_command
    ) as server:
        facts = server.facts()
    programs = Programs(context, parameters.server, parameters.database, hears_loss=facts.hears_loss)
    check_programs(programs, parameters, facts)
    context.info(
        f"Dumping database {parameters.database!r} of PostgreSQL {facts.version} on "
        f"{parameters.server.where}: {facts.tables} tables, {size_words(facts.size)}"
    )
    try:
        with staging.filling(context.warn) as folder:
            path = folder / FILE_NAMES[parameters.format]
            _dump(context, programs, parameters, facts, path)
            dump = verify_dump(programs, parameters.restore_command, path)
            size = _size(path)
    except PluginFailed as error:
        waited = f". It waited {parameters.lock_wait} s (PqLockWaitSeconds) for a table that is locked"
        raise PluginFailed(
            f"Database {parameters.database!r} could not be dumped, and nothing is kept of it: {error}"
            f"{waited if _LOCKED.search(str(error)) else ''}"
        ) from None
    context.info(
        f"Dump {shown(str(staging.path / path.name))} completed: {dump.entries} entries, {size_words(size)}, "
        "verified"
    )


def check_programs(programs: Programs, parameters: Parameters, facts: DatabaseFacts) -> None:
    """Hold pg_dump and pg_restore against the server. Raises ConfigInvalid for one that is not fit."""
    major = programs.major_version("PqDumpCmd", parameters.dump_command, "pg_dump")
    if major < facts.major:
        raise ConfigInvalid(
            "PqDumpCmd",
            f"pg_dump {major} cannot dump a server of version {facts.version}: install PostgreSQL's client "
            f"programs of version {facts.major} or newer, or give the path of such a pg_dump",
        )
    reader = programs.major_version("PqRestoreCmd", parameters.restore_command, "pg_restore")
    if reader < major:
        raise ConfigInvalid(
            "PqRestoreCmd",
            f"pg_restore {reader} cannot read what pg_dump {major} writes: give the path of a newer one",
        )


def _dump(
    context: PluginContext, programs: Programs, parameters: Parameters, facts: DatabaseFacts, path: Path
) -> None:
    jobs = [f"--jobs={parameters.dump_jobs}"] if parameters.dump_jobs > 1 else []
    argv = [
        parameters.dump_command,
        "--no-password",
        "--verbose",
        f"--format={parameters.format}",
        f"--lock-wait-timeout={parameters.lock_wait * 1000}",
        *jobs,
    ]
    progress = TableProgress(context, "Dumping", facts.tables)
    if programs.pod is None:
        programs.run([*argv, f"--file={path}"], on_detail=progress.hear)
        return
    try:
        with new_file(path) as file:

            def take(data: bytes) -> None:
                file.write(data)
                progress.count(file.tell())

            programs.take(programs.pod, argv, progress.hear, take)
    except OSError as error:
        raise PluginFailed(f"Cannot write {shown(str(path))}: {reason_of(error)}") from None


def _size(path: Path) -> int:
    files = [path] if path.is_file() else list(path.iterdir())
    return sum(os.lstat(file).st_size for file in files)
