"""Where a server has its files, and what of it a storage plugin put back."""

from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import pod_selector
from workflows_app.plugins.mongo.parameters import Parameters
from workflows_app.plugins.mongo_server.connection import Client
from workflows_app.plugins.mongo_server.refusals import asking
from workflows_app.plugins.wording import shown

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
        f"There is no data folder of MongoDB in {where}: the backup was made without automatic discovery, or "
        "with another MongoDataPath"
    )
