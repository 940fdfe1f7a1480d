"""The server's own data folder, for the method ``hold``, and what of it a storage plugin put back."""

from dataclasses import replace
from pathlib import Path

from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases import own_files
from workflows_app.plugins.mariadb.parameters import HoldParameters
from workflows_app.plugins.mariadb.server_files import ServerFiles, ask_files
from workflows_app.plugins.mariadb_server.programs import Programs

# InnoDB's own tablespace, without which no server of MariaDB starts.
_MARK = "ibdata1"


def told_files(programs: Programs, parameters: HoldParameters) -> ServerFiles:
    """The server's version and its data folder, as the storage plugin sees it.

    Warns when the server has files elsewhere, too. Raises PluginFailed, ConfigInvalid, Cancelled.
    """
    files, elsewhere = ask_files(programs, parameters.client)
    if elsewhere:
        programs.context.warn(
            f"The server has files in {elsewhere}, outside of its data folder: the snapshot must be of "
            "both, at one moment"
        )
    return replace(files, data=parameters.data_path or files.data)


def restored_data(context: PluginContext) -> Path | None:
    """The data folder that is back (see ``own_files.restored_data``, also for what is raised)."""
    return own_files.restored_data(
        context, _MARK, "MariaDB", "with another MysqlDataPath, or by the method 'copy'"
    )
