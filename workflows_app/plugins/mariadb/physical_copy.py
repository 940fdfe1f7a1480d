"""Makes a physical copy of a whole server that can be started as it is.

Why mariadb-backup and not FLUSH TABLES WITH READ LOCK around the storage plugin's copy: under that lock
InnoDB goes on writing its pages and its log in the background, and files that are read one after the other
are then of no moment at all (docs/plugins/mariadb.md). mariadb-backup copies the log beside the pages, and
holds BACKUP STAGE for what has no log, in one session.
"""

import re
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.databases.leftovers import end_leftovers
from workflows_app.plugins.mariadb.manifest import write_manifest
from workflows_app.plugins.mariadb.parameters import Parameters
from workflows_app.plugins.mariadb.server_files import ServerFiles, find_files, log_position
from workflows_app.plugins.mariadb.settings import settings_of
from workflows_app.plugins.mariadb_server.programs import Programs
from workflows_app.plugins.staging.folder import Staging
from workflows_app.plugins.wording import files_words, shown

DATA = "data"
MANIFEST = "data.sha256"

# Of what mariadb-backup says: the thread and the time before each line of its own, the time before InnoDB's.
_SPOKEN = re.compile(
    r"(?:\[[0-9]+\] )?[0-9]{4}-[0-9]{2}-[0-9]{2} +[0-9:]+ (?:[0-9]+ \[(?P<kind>\w+)\] )?(?P<text>.*)"
)
_FAULT = re.compile(r"error|fail|unable|cannot|can't|missing required|denied|corrupt", re.IGNORECASE)
_WORTH = re.compile(r"BACKUP STAGE|Waiting |Redo log|completed OK|Starting crash recovery|End of log")
_COPYING = re.compile(r"(?:Copying|Copied file|aria table file) (\S+)")
# Older releases name it after XtraBackup.
_CHECKPOINTS = ("mariadb_backup_checkpoints", "xtrabackup_checkpoints")


def make_copy(context: PluginContext, parameters: Parameters, staging: Staging) -> None:
    """Copy the server into ``staging``, apply the log to the copy, and take down its checksums.

    The server goes on. For a moment at the end, changes of structure, writes to tables without transactions
    and commits wait for mariadb-backup's session; when that ends, however it does, they go on.
    Raises ConfigInvalid, PluginFailed, or Cancelled; then no copy is there.
    """
    programs = Programs(context, parameters.server)
    programs.release("MysqlClientCmd", parameters.client, "mariadb")
    files = find_files(programs, parameters.client)
    check_release(programs, parameters, files)
    context.info(
        f"Copying MariaDB {files.version} on {parameters.server.where} from {shown(str(files.data))}"
    )
    end_leftovers(context, target_argument(staging))
    before = log_position(programs, parameters.client)
    try:
        with staging.filling(context.warn) as folder:
            _back_up(programs, parameters, target_argument(staging))
            check_origin(folder / DATA, before, log_position(programs, parameters.client))
            _prepare(programs, parameters, folder / DATA)
            read_log_end(folder / DATA, "log-applied")
            count = write_manifest(folder / DATA, folder / MANIFEST, context.check_cancelled)
    except PluginFailed as error:
        raise PluginFailed(
            f"The server on {parameters.server.where} could not be copied, and nothing is kept: {error}"
        ) from None
    context.info(f"The copy {shown(str(staging.path / DATA))} is complete and prepared: {files_words(count)}")


def check_release(programs: Programs, parameters: Parameters, files: ServerFiles) -> None:
    """Hold mariadb-backup against the server. Raises ConfigInvalid when it is none, or of another version."""
    release = programs.release("MysqlBackupCmd", parameters.backup_command, "mariadb-backup")
    if release != files.release:
        raise ConfigInvalid(
            "MysqlBackupCmd",
            f"{parameters.backup_command!r} is of version {release[0]}.{release[1]}, the server of version "
            f"{files.version}: give the path of the mariadb-backup of the server's version",
        )


def target_argument(staging: Staging) -> str:
    """The argument by which a run's mariadb-backup is known among the processes of the machine."""
    return f"--target-dir={staging.partial / DATA}"


def check_origin(data: Path, before: int, after: int) -> None:
    """Raise PluginFailed when the log of a copy does not end between two positions of the server's log.

    mariadb-backup reads the folder that the server names, on this machine. When the server is another
    machine's, that may be the folder of a server that happens to be here.
    """
    end = read_log_end(data, "full-backuped")
    if not before <= end <= after:
        raise PluginFailed(
            f"the copied files are not the server's: their log ends at {end}, its own was at {before} "
            f"before and at {after} after. The worker must run on the server's machine"
        )


def read_log_end(data: Path, kind: str) -> int:
    """Where the log of a copy ends. Raises PluginFailed when the copy is not of that kind."""
    text = next((place.read_text() for name in _CHECKPOINTS if (place := data / name).exists()), "")
    values = dict(re.findall(r"(?m)^(\w+) = (.*)$", text))
    if values.get("backup_type") != kind or not values.get("last_lsn", "").isdecimal():
        raise PluginFailed(f"mariadb-backup left no copy of the kind {kind!r}")
    return int(values["last_lsn"])


def _back_up(programs: Programs, parameters: Parameters, target: str) -> None:
    copied = 0

    def hear(line: str) -> None:
        nonlocal copied
        if found := _COPYING.search(line):
            copied += 1
            programs.context.report(Report(done_files=copied, note=f"copying {found[1]}"))

    programs.run(
        [
            parameters.backup_command,
            "--no-defaults",
            "--backup",
            *parameters.server.arguments,
            f"--ftwrl-wait-timeout={parameters.lock_wait}",
            # Not for queries that only read.
            "--ftwrl-wait-query-type=UPDATE",
            target,
        ],
        judge=_judge,
        on_detail=hear,
    )


def _prepare(programs: Programs, parameters: Parameters, data: Path) -> None:
    programs.context.report(Report(note="applying the log to the copy"))
    argv = [parameters.backup_command, "--no-defaults", "--prepare", *settings_of(data)]
    programs.run([*argv, f"--target-dir={data}"], judge=_judge)


def _judge(line: str) -> tuple[Level, str] | None:
    spoken = _SPOKEN.fullmatch(line)
    kind, text = (spoken["kind"], spoken["text"].strip()) if spoken else (None, line)
    if kind in ("ERROR", "Warning"):
        return (Level.ERROR if kind == "ERROR" else Level.WARN), text
    if kind is None and not _COPYING.search(line) and _FAULT.search(line):
        return Level.ERROR, text
    return (Level.INFO, text) if _WORTH.search(line) else None
