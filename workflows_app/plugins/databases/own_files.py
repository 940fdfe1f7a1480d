"""A server's own files, which a storage plugin backs up while the server is locked, and what it put back."""

from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod_parameters import pod_selector
from workflows_app.plugins.wording import shown


def goes_elsewhere(context: PluginContext) -> bool:
    """Whether a restore has another target, under which no server is; that is said."""
    if context.restore.target:
        context.info(f"The files are restored below {shown(context.restore.target)}; no server is touched")
    return bool(context.restore.target)


def restored_data(context: PluginContext, mark: str, what: str, causes: str) -> Path | None:
    """The data folder among what the storage plugin has put back, below the restore's target if there is one.

    It is known by its file ``mark``; ``what`` is whose it is, and ``causes`` end the message where there is
    none. None where it is not on this machine: in a pod, or a volume. Raises PluginFailed when there is none.
    """
    target = context.restore.target.rstrip("/")
    contents = context.config.backup.contents
    sources = [content.source for content in contents if content.source.startswith("/")]
    if pod_selector(context.parameters) or (contents and not sources):
        return None
    for source in sources:
        place = Path(f"{target}{source}")
        if (place / mark).is_file():
            return place
    where = ", ".join(shown(f"{target}{source}") for source in sources) or "what was restored"
    raise PluginFailed(
        f"There is no data folder of {what} in {where}: the backup was made without automatic discovery, "
        f"{causes}"
    )


def say_how_to_run(context: PluginContext, place: Path | None, how: str) -> None:
    """Say that the data folder is back at ``place`` (``restored_data``'s), and how it becomes a server."""
    what = f"The data folder {shown(str(place))} is back" if place else "What was backed up is back"
    context.info(f"{what}. To run it: {how}")
