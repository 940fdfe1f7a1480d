"""Makes a physical copy of a whole server that can be started as it is.

Why mariadb-backup and not FLUSH TABLES WITH READ LOCK around the storage plugin's copy: under that lock
InnoDB goes on writing its pages and its log in the background, and files that are read one after the other
are then of no moment at all (docs/plugins/mariadb.md). mariadb-backup copies the log beside the pages, and
holds BACKUP STAGE for what has no log, in one session. That of a server in a pod runs in the pod, and
streams the copy to the worker.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.databases.leftovers import end_leftovers
from workflows_app.plugins.databases.pod_leftovers import end_in_pod
from workflows_app.plugins.mariadb.manifest import write_manifest
from workflows_app.plugins.mariadb.parameters import Parameters
from workflows_app.plugins.mariadb.pod_copy import pod_argument, stream_copy
from workflows_app.plugins.mariadb.server_files import (
    ServerFiles,
    find_files,
    log_position,
    refuse_leading_out,
)
from workflows_app.plugins.mariadb.settings import settings_of
from workflows_app.plugins.mariadb.unpacking import check_unpacker
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
# Names of files and folders, which may have such a word in them.
_PLACES = re.compile(r"(?<!\w)'.*'(?!\w)|^cd to .*|\.?/\S*")
_WORTH = re.compile(r"BACKUP STAGE|Waiting |Redo log|completed OK|Starting crash recovery|End of log")
_COPYING = re.compile(r"(?:Copying|Streaming|Copied file|aria table file) (\S+)")
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
    check_release(programs, "MysqlBackupCmd", parameters.backup_command, files)
    if programs.pod:
        check_release(programs.beside_worker(), "MysqlPrepareCmd", parameters.prepare_command, files)
        check_unpacker(context, parameters.stream_command)
    context.info(
        f"Copying MariaDB {files.version} on {parameters.server.where} from {shown(str(files.data))}"
    )
    end_copying(programs, staging)
    before = log_position(programs, parameters.client)
    try:
        with staging.filling(context.warn) as folder:
            _back_up(programs, parameters, folder / DATA)
            check_origin(folder / DATA, before, log_position(programs, parameters.client))
            # Another machine's files, or a table that was made meanwhile.
            refuse_leading_out(folder / DATA)
            _prepare(programs.beside_worker(), parameters, folder / DATA)
            read_log_end(folder / DATA, "log-applied")
            count = write_manifest(folder / DATA, folder / MANIFEST, context.check_cancelled)
    except PluginFailed as error:
        raise PluginFailed(
            f"The server on {parameters.server.where} could not be copied, and nothing is kept: {error}"
        ) from None
    context.info(f"The copy {shown(str(staging.path / DATA))} is complete and prepared: {files_words(count)}")


def check_release(programs: Programs, field: str, command: str, files: ServerFiles) -> None:
    """Hold a mariadb-backup against the server. Raises ConfigInvalid when it is none, or of another version.

    ``field`` is the parameter that names it.
    """
    release = programs.release(field, command, "mariadb-backup")
    if release != files.release:
        raise ConfigInvalid(
            field,
            f"{command!r} is of version {release[0]}.{release[1]}, the server of version "
            f"{files.version}: give the path of the mariadb-backup of the server's version",
        )


def end_copying(programs: Programs, staging: Staging) -> None:
    """End the mariadb-backup that a lost worker may have left of this run, here and in the pod.

    That it cannot be done is a warning. Raises Cancelled.
    """
    end_leftovers(programs.context, _target_argument(staging.partial / DATA))
    if programs.pod:
        end_in_pod(programs.context, programs.pod, pod_argument(programs.context.config))


def check_origin(data: Path, before: int, after: int) -> None:
    """Raise PluginFailed when the log of a copy does not end between two positions of the server's log.

    mariadb-backup reads the folder that the server names, on its own machine or in its own container. When
    the server is another one's, that may be the folder of a server that happens to be there.
    """
    end = read_log_end(data, "full-backuped")
    if not before <= end <= after:
        raise PluginFailed(
            f"the copied files are not the server's: their log ends at {end}, its own was at {before} "
            f"before and at {after} after. The worker, or the container of a pod, must be the server's own"
        )


def read_log_end(data: Path, kind: str) -> int:
    """Where the log of a copy ends. Raises PluginFailed when the copy is not of that kind."""
    text = next((place.read_text() for name in _CHECKPOINTS if (place := data / name).exists()), "")
    values = dict(re.findall(r"(?m)^(\w+) = (.*)$", text))
    if values.get("backup_type") != kind or not values.get("last_lsn", "").isdecimal():
        raise PluginFailed(f"mariadb-backup left no copy of the kind {kind!r}")
    return int(values["last_lsn"])


def _target_argument(data: Path) -> str:
    """The argument by which a run's mariadb-backup is known among the processes of the machine."""
    return f"--target-dir={data}"


def _back_up(programs: Programs, parameters: Parameters, data: Path) -> None:
    progress = Report(note="copying")

    def tell(**changes: Any) -> None:
        nonlocal progress
        progress = replace(progress, **changes)
        programs.context.report(progress)

    def hear(line: str) -> None:
        if found := _COPYING.search(line):
            tell(done_files=progress.done_files + 1, note=f"copying {found[1]}")

    def count(received: int) -> None:
        tell(done_bytes=progress.done_bytes + received)

    argv = [
        parameters.backup_command,
        "--no-defaults",
        "--backup",
        *parameters.server.arguments,
        f"--ftwrl-wait-timeout={parameters.lock_wait}",
        # Not for queries that only read.
        "--ftwrl-wait-query-type=UPDATE",
    ]
    if programs.pod is None:
        programs.run([*argv, _target_argument(data)], judge=_judge, on_detail=hear)
    else:
        stream_copy(programs, programs.pod, parameters.stream_command, argv, _judge, hear, count, data)


def _prepare(programs: Programs, parameters: Parameters, data: Path) -> None:
    programs.context.report(Report(note="applying the log to the copy"))
    argv = [parameters.prepare_command, "--no-defaults", "--prepare", *settings_of(data)]
    programs.run([*argv, _target_argument(data)], judge=_judge)


def _judge(line: str) -> tuple[Level, str] | None:
    spoken = _SPOKEN.fullmatch(line)
    kind, text = (spoken["kind"], spoken["text"]) if spoken else (None, line)
    text = text.strip("\a ")  # it rings the bell before some errors
    if kind in ("ERROR", "Warning"):
        return (Level.ERROR if kind == "ERROR" else Level.WARN), text
    if kind is None and not _COPYING.search(line) and _FAULT.search(_PLACES.sub("", text)):
        return Level.ERROR, text
    return (Level.INFO, text) if _WORTH.search(line) else None
