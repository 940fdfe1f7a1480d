"""The JSON document that an executable may read from its standard input."""

import json

from workflows_app.plugins.base import PluginContext


def call_document(context: PluginContext, family: str, action: str) -> bytes:
    """Answer ``{"action": …, "config": …, "restore": …}`` with a line end, for the extension ``stdin``.

    ``config`` is Fossul's JSON, with all that its variables lack. Of the parameters it has this
    plugin's own, with references resolved; those of the other plugins are not for it to read.
    """
    own = f"{family}_plugin_parameters"
    parameters: dict[str, dict[str, str]] = {
        "app_plugin_parameters": {},
        "storage_plugin_parameters": {},
        "archive_plugin_parameters": {},
        own: dict(context.parameters),
    }
    config = context.config.model_copy(update=parameters)
    document = {"action": action, "config": config.wire(), "restore": context.restore.wire()}
    return json.dumps(document).encode() + b"\n"
