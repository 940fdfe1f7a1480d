"""The server's own data folder, for the method ``hold``, and what of it a storage plugin put back."""

from dataclasses import replace
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import pod_selector
from workflows_app.plugins.mariadb.parameters import HoldParameters
from workflows_app.plugins.mariadb.server_files import ServerFiles, ask_files
from workflows_app.plugins.mariadb_server.programs import Programs
from workflows_app.plugins.wording import shown

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
    """The data folder among what the storage plugin has put back, below the restore's target if there is one.

    None where it is not on this machine: in a pod, or a volume. Raises PluginFailed when there is none.
    """
    target = context.restore.target.rstrip("/")
    contents = context.config.backup.contents
    sources = [content.source for content in contents if content.source.startswith("/")]
    if pod_selector(context.parameters) or (contents and not sources):
        return None
    for source in sources:
        place = Path(f"{target}{source}")
        if (place / _MARK).is_file():
            return place
    where = ", ".join(shown(f"{target}{source}") for source in sources) or "what was restored"
    raise PluginFailed(
        f"There is no data folder of MariaDB in {where}: the backup was made without automatic discovery, "
        "with another MysqlDataPath, or by the method 'copy'"
    )
