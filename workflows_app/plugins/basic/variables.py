"""The environment of an executable plugin (fossul-behaviour.md §7.2)."""

from collections.abc import Mapping

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.runs.restores import RESTORE_FILES
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.basic.description import (
    RESTORE_DRY_RUN,
    RESTORE_TARGET,
    Description,
    Extension,
)

NONE: Mapping[str, str] = {}
# Linux takes 128 KiB for one variable, with its name.
_LONGEST = 120 * 1024


def plugin_environment(
    context: PluginContext, description: Description, more: Mapping[str, str] = NONE
) -> dict[str, str]:
    """Answer what the executable finds in its environment: a later one of these wins.

    The worker's own environment less its credentials (``context.environment``; Fossul gives all of it),
    Fossul's variables, those that the description opts in to, and the plugin's parameters. Archive plugins
    get them too; in Fossul they get none, by an oversight. A parameter that is declared secret is left
    out where the plugin reads the configuration from its standard input. Then a restore's request, and
    ``more`` of this one action: no parameter makes a dry run a restore, or has what is held deleted.

    Raises ConfigInvalid for a parameter that cannot be a variable.
    """
    secrets = description.secrets if description.wants(Extension.STDIN) else frozenset()
    parameters = {name: value for name, value in context.parameters.items() if name not in secrets}
    for name, value in parameters.items():
        _check(name, value)
    return {
        **context.environment,
        **_fossul(context),
        **(_more(context) if description.wants(Extension.VARIABLES) else {}),
        **parameters,
        **_restore(context, description),
        **more,
    }


def _fossul(context: PluginContext) -> Mapping[str, str]:
    config = context.config
    return {
        "ProfileName": config.profile_name,
        "ConfigName": config.config_name,
        "AutoDiscovery": _word(config.auto_discovery),
        "WorkflowId": config.workflow_id,
        "SelectedWorkflowId": str(config.selected_workflow_id),
        "BackupRetention": str(config.selected_backup_retention),
        "ArchiveRetention": str(config.selected_archive_retention),
        "BackupPolicy": config.selected_backup_policy,
    }


def _more(context: PluginContext) -> Mapping[str, str]:
    """What Fossul keeps from executables, although they need it to name and to find a backup."""
    config = context.config
    return {
        "WorkflowTimestamp": str(config.workflow_timestamp),
        "WorkflowType": config.workflow_type,
        "ContainerPlatform": config.container_platform,
        "AccessWithinCluster": config.access_within_cluster,
        "SelectedBackup": config.backup.name,
    }


def _restore(context: PluginContext, description: Description) -> Mapping[str, str]:
    """The restore's request, for a plugin that declares that it obeys it."""
    variables = {}
    if description.can(RESTORE_TARGET):
        variables["RestoreTarget"] = context.restore.target
    if description.can(RESTORE_DRY_RUN):
        variables["RestoreDryRun"] = _word(context.restore.dry_run)
    if description.can(RESTORE_FILES):
        variables["RestoreFiles"] = _files(context)
    return variables


def _files(context: PluginContext) -> str:
    """The keys of the wanted files, which have no spaces, separated by one. Raises ConfigInvalid."""
    text = " ".join(context.restore.files)
    if len(text) > _LONGEST:
        raise ConfigInvalid(
            "files", "are too many for one variable of an executable: choose folders in place of their files"
        )
    return text


def _check(name: str, value: str) -> None:
    if not name or "=" in name or "\0" in name:
        raise ConfigInvalid(
            "parameters", f"{name!r} cannot be the name of an environment variable, which a plugin is given"
        )
    if "\0" in value:
        raise ConfigInvalid(name, "has a NUL character, which no environment variable can hold")


def _word(value: bool) -> str:
    return "true" if value else "false"
