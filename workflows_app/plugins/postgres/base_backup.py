"""Makes a physical copy of a whole cluster that can be started as it is.

Why pg_basebackup and not pg_backup_start around the storage plugin's copy: what makes such a copy usable,
backup_label and the WAL up to the end of the backup, exists only after pg_backup_stop, which Fossul's order
(quiesce, backup, unquiesce) has after the backup. It would have to be kept beside the backup, where neither
its verification nor its retention knows of it. pg_basebackup does start, copy and stop in one session.
"""

import re
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.databases.run_names import run_name
from workflows_app.plugins.postgres.parameters import Parameters
from workflows_app.plugins.postgres_server.programs import Programs
from workflows_app.plugins.postgres_server.session import Session, session
from workflows_app.plugins.staging.folder import Staging
from workflows_app.plugins.wording import shown

DATA = "data"
OLDEST_MAJOR = 15

# What pg_basebackup says with --progress.
_PROGRESS = re.compile(r"\s*([0-9]+)/([0-9]+) kB \([0-9]+%\).*")
# The tablespaces that every cluster has, by their fixed numbers (pg_tablespace.dat).
_TABLESPACES = "SELECT count(*), min(spcname) FROM pg_tablespace WHERE oid NOT IN (1663, 1664)"
# Null for a role that may not see them.
_PLACES = (
    "SELECT (SELECT setting FROM pg_settings WHERE name = 'config_file'), "
    "(SELECT setting FROM pg_settings WHERE name = 'data_directory')"
)


def make_base_backup(context: PluginContext, parameters: Parameters, staging: Staging) -> None:
    """Copy the cluster, with the WAL that it needs, into ``staging``, and verify the copy.

    The server goes on; nothing of it is frozen. When pg_basebackup's session ends, however it does, the
    server leaves the backup mode by itself. Raises ConfigInvalid, PluginFailed, or Cancelled; then no copy is
    there.
    """
    with session(parameters.server, parameters.database) as server:
        facts = server.facts()
        check_server(context, server, facts.major, facts.version)
    programs = Programs(context, parameters.server, hears_loss=facts.hears_loss)
    check_programs(programs, parameters, facts.major, facts.version)
    context.info(f"Copying the cluster of PostgreSQL {facts.version} on {parameters.server.where}")
    try:
        with staging.filling(context.warn) as folder:
            _copy(context, programs, parameters, folder / DATA)
            verify_base_backup(programs, parameters, folder / DATA)
    except PluginFailed as error:
        raise PluginFailed(
            f"The cluster on {parameters.server.where} could not be copied, and nothing is kept: {error}"
        ) from None
    context.info(f"The copy {shown(str(staging.path / DATA))} is complete and verified")


def verify_base_backup(programs: Programs, parameters: Parameters, path: Path) -> None:
    """Hold a copy against its manifest, file by file, and read its WAL. Raises PluginFailed, Cancelled."""
    programs.run([parameters.program("pg_verifybackup"), str(path)], on_output=lambda line: None)


def check_programs(programs: Programs, parameters: Parameters, major: int, version: str) -> None:
    """Hold the programs against the server's version. Raises ConfigInvalid for any that is not fit."""
    command = parameters.program("pg_basebackup")
    own = programs.major_version("PqBinPath", command, "pg_basebackup")
    programs.major_version("PqBinPath", parameters.program("pg_verifybackup"), "pg_verifybackup")
    if own != major:
        raise ConfigInvalid(
            "PqBinPath",
            f"{command!r} is of version {own}, the server of version {version}: give the folder with "
            "the programs of the server's version",
        )


def check_server(context: PluginContext, server: Session, major: int, version: str) -> None:
    """Refuse a cluster whose copy would be none (PluginFailed); warn of what would not be in it."""
    if major < OLDEST_MAJOR:
        raise PluginFailed(
            f"The server has version {version}: physical backups need PostgreSQL {OLDEST_MAJOR} or newer"
        )
    count, name = server.row(_TABLESPACES)
    if count:
        raise PluginFailed(
            f"The cluster has tablespaces of its own ({name!r}), whose links would lead to the live ones "
            "after a restore: use postgres-dump"
        )
    config, data = server.row(_PLACES)
    if config and data and not Path(str(config)).is_relative_to(str(data)):
        context.warn(f"The configuration {config} is not in the data folder, and is not in the backup")


def _copy(context: PluginContext, programs: Programs, parameters: Parameters, path: Path) -> None:
    def hear(line: str) -> None:
        if found := _PROGRESS.fullmatch(line):
            done, total = (int(number) * 1024 for number in found.groups())
            context.report(Report(done_bytes=done, total_bytes=total, note="copying the cluster"))

    programs.run(
        [
            parameters.program("pg_basebackup"),
            "--no-password",
            "--verbose",
            "--progress",
            "--format=plain",
            "--wal-method=stream",
            "--manifest-checksums=SHA256",
            f"--checkpoint={parameters.checkpoint}",
            f"--label={run_name(context.config)}",
            f"--pgdata={path}",
        ],
        on_detail=context.info,
        on_output=hear,
    )
