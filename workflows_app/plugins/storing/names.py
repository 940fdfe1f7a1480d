"""The names that tell whose a backup is, and the name of the one that a run makes."""

import re
from string import ascii_letters, digits
from typing import NamedTuple

from workflows_app.domain import naming
from workflows_app.domain.config import check_name, check_policy
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import spelled
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext

NAME_SPEC = ParameterSpec(
    name="BackupName",
    help="The first part of a backup's name. Empty: the configuration's name.",
    form=spelled(f"{ascii_letters}{digits}._-", 1, 63),
)


class Owner(NamedTuple):
    """Whose backups a call is about; ``base`` is the first part of their names."""

    profile: str
    config: str
    base: str

    @classmethod
    def of(cls, context: PluginContext) -> "Owner":
        """Read the names of a call. Raises ConfigInvalid, which names the one that is refused."""
        config = context.config
        check_name("profileName", config.profile_name)
        check_name("configName", config.config_name)
        base = context.parameters.get(NAME_SPEC.name) or config.config_name
        check_name(NAME_SPEC.name, base)
        return cls(config.profile_name, config.config_name, base)


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
