"""The name of the backup that a run makes."""

import re

from workflows_app.domain import naming
from workflows_app.domain.config import check_policy
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.plugins.base import PluginContext


def own_name(context: PluginContext) -> str:
    """The full name of the run's own backup. Raises ConfigInvalid when the call tells of no run."""
    config = context.config
    check_policy("backupPolicy", config.selected_backup_policy)
    if not re.fullmatch(r"[0-9]{1,20}", config.workflow_id):
        raise ConfigInvalid("workflowId", f"{config.workflow_id!r} is not the number of a run")
    if config.workflow_timestamp < 0:
        raise ConfigInvalid("workflowTimestamp", f"{config.workflow_timestamp} is before 1970")
    # The parameters of the call are those of the configuration with references resolved.
    parameters = {"storage_plugin_parameters": dict(context.parameters)}
    return naming.backup_name(config.model_copy(update=parameters))
