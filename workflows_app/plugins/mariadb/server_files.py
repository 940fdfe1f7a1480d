"""Where the files of a server are, and whether a copy of its data folder has all of them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mariadb.pod_copy import leading_out_in_pod
from workflows_app.plugins.mariadb_server.facts import ask_rows, release_of
from workflows_app.plugins.mariadb_server.programs import Programs, Release
from workflows_app.plugins.wording import reason_of, shown

# Relative ones are in the data folder.
_FOLDERS = ("innodb_data_home_dir", "innodb_undo_directory", "innodb_log_group_home_dir", "aria_log_dir_path")


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """A server's version, the first two parts of that, and its data folder."""

    version: str
    release: Release
    data: Path


def find_files(programs: Programs, client: str) -> ServerFiles:
    """Ask the server where its files are, and look at them: here, or in the pod where the programs run.

    Raises PluginFailed when the data folder cannot be read there, or when a part of the data is elsewhere: a
    restored copy would then meet the files of the live server. ConfigInvalid, Cancelled.
    """
    files, elsewhere = ask_files(programs, client)
    if elsewhere:
        raise PluginFailed(
            f"The server has files in {elsewhere}, outside of its data folder, where a restored copy would "
            "meet the live ones: use mariadb-dump"
        )
    if programs.pod is None:
        refuse_leading_out(files.data)
    elif outside := leading_out_in_pod(programs.pod, str(files.data)):
        raise _leads_out(outside)
    return files


def ask_files(programs: Programs, client: str) -> tuple[ServerFiles, str]:
    """What the server says of its files; and, in words, a folder of them that is not its data folder, if any.

    Raises PluginFailed, ConfigInvalid, Cancelled.
    """
    variables = ", ".join(f"IFNULL(@@{name}, '')" for name in _FOLDERS)
    ((version, data, *folders),) = ask_rows(programs, client, f"VERSION(), @@datadir, {variables}")
    elsewhere = (
        f"{shown(folder)} ({name})"
        for name, folder in zip(_FOLDERS, folders, strict=True)
        if folder.startswith("/") and os.path.normpath(folder) != os.path.normpath(data)
    )
    files = ServerFiles(version, release_of(version, programs.server.where), Path(data))
    return files, next(elsewhere, "")


def log_position(programs: Programs, client: str) -> int:
    """Up to which position (LSN) the server has written its log. Raises PluginFailed, Cancelled."""
    ((position,),) = ask_rows(
        programs,
        client,
        "variable_value FROM information_schema.GLOBAL_STATUS WHERE variable_name = 'INNODB_LSN_CURRENT'",
    )
    return int(position)


def refuse_leading_out(data: Path) -> None:
    """Raise PluginFailed when something in a data folder here is elsewhere, or when it cannot be read."""
    try:
        outside = next(_leading_out(data), None)
    except OSError as error:
        raise PluginFailed(
            f"The server's data folder {shown(str(data))} cannot be read here: {reason_of(error)}. The "
            f"worker must run on the server's machine, as a user who may read it (uid {os.geteuid()} now); "
            "for a server in a pod, set PodSelector. Or use mariadb-dump"
        ) from None
    if outside:
        raise _leads_out(str(outside))


def _leads_out(path: str) -> PluginFailed:
    return PluginFailed(
        f"The server has data outside of its data folder, by {shown(path)}, where a restored copy would meet "
        "the live one: use mariadb-dump"
    )


def _leading_out(data: Path) -> Iterator[Path]:
    """What in a data folder is elsewhere: links, and InnoDB's files that say where a table is."""
    for entry in data.iterdir():
        if entry.is_symlink():
            yield entry
        elif entry.is_dir() and entry.name != "lost+found":
            yield from (file for file in entry.iterdir() if file.suffix == ".isl" or file.is_symlink())
