"""Where a server has its files, and what of it a storage plugin put back."""

from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases import own_files
from workflows_app.plugins.mongo.parameters import Parameters
from workflows_app.plugins.mongo_server.connection import Client
from workflows_app.plugins.mongo_server.refusals import asking

# Every data folder of WiredTiger, MongoDB's own storage engine, has this file.
_MARK = "WiredTiger"


def data_folder(client: Client, parameters: Parameters) -> Path:
    """The server's data folder, as the storage plugin sees it. Raises PluginFailed when it does not say."""
    if parameters.data_path is not None:
        return parameters.data_path
    with asking(parameters.server, "say where its data is (getCmdLineOpts)"):
        parsed = client.admin.command("getCmdLineOpts").get("parsed", {})
    path = str(parsed.get("storage", {}).get("dbPath", ""))
    if not path.startswith("/") or "," in path:
        raise PluginFailed(
            f"{parameters.server.where} does not say in which folder its data is ({path!r}): give it as "
            "MongoDataPath"
        )
    return Path(path)


def restored_data(context: PluginContext) -> Path | None:
    """The data folder that is back (see ``own_files.restored_data``, also for what is raised)."""
    return own_files.restored_data(context, _MARK, "MongoDB", "or with another MongoDataPath")
