"""Plugins that tests let a worker tell of."""

from workflows_app.domain.parameter_kinds import choice, number
from workflows_app.domain.results import ParameterSpec, PluginInfo
from workflows_app.services.configurations.plugins import publish

FILESYSTEM = PluginInfo(
    name="filesystem",
    type="storage",
    description="Keeps folders",
    parameters=(
        ParameterSpec(name="BackupSrcPaths", help="What to back up", required=True),
        ParameterSpec(name="BackupDestPath", required=True),
        ParameterSpec(name="CompressionLevel", default="3", form=number(1, 19)),
        ParameterSpec(name="Unchanged", default="metadata", form=choice("metadata", "hash")),
    ),
)
# "Opening" is no name by which anybody else would know that it is a secret.
VAULT = PluginInfo(
    name="vault",
    type="app",
    parameters=(ParameterSpec(name="Opening", secret=True), ParameterSpec(name="Host")),
)
SAFE = PluginInfo(name="safe", type="app", parameters=(ParameterSpec(name="Host"),))


def publish_all() -> None:
    """Let a worker tell of all of them."""
    publish("1@tests", (FILESYSTEM, VAULT, SAFE))
