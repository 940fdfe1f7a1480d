"""The steps that a storage plugin does."""

from collections.abc import Callable

from temporalio import activity

from workflows_app.activities.execution import StepExecution
from workflows_app.contracts import CatalogueInput, StepInput, StorageActivities
from workflows_app.domain import naming
from workflows_app.domain.results import Backups, Result
from workflows_app.plugins.base import PluginContext, StoragePlugin
from workflows_app.plugins.registry import PluginRegistry


class StoragePluginActivities(StorageActivities):
    """Calls the storage plugin that the configuration names."""

    def __init__(self, registry: PluginRegistry, execution: StepExecution) -> None:
        self._registry = registry
        self._execution = execution

    @activity.defn(name=naming.STORAGE_BACKUP, no_thread_cancel_exception=True)
    def backup(self, step: StepInput) -> Result:
        """Make the backup."""
        return self._do(step, lambda plugin, context: plugin.backup(context))

    @activity.defn(name=naming.STORAGE_RETENTION, no_thread_cancel_exception=True)
    def retention(self, step: StepInput) -> Result:
        """Delete the backups that the run's policy does not keep."""
        return self._do(step, lambda plugin, context: plugin.backup_delete_workflow(context))

    @activity.defn(name=naming.STORAGE_MOUNT, no_thread_cancel_exception=True)
    def mount(self, step: StepInput) -> Result:
        """Make the run's backup readable for the archive plugin."""
        return self._do(step, lambda plugin, context: plugin.mount(context))

    @activity.defn(name=naming.STORAGE_UNMOUNT, no_thread_cancel_exception=True)
    def unmount(self, step: StepInput) -> Result:
        """Undo the mount."""
        return self._do(step, lambda plugin, context: plugin.unmount(context))

    @activity.defn(name=naming.STORAGE_RESTORE, no_thread_cancel_exception=True)
    def restore(self, step: StepInput) -> Result:
        """Restore ``step.config.backup`` as ``step.restore`` asks."""
        return self._do(step, lambda plugin, context: plugin.restore(context))

    @activity.defn(name=naming.STORAGE_LIST, no_thread_cancel_exception=True)
    def list(self, catalogue: CatalogueInput) -> Backups:
        """The backups that exist now; a failure to read them is in ``Backups.result``."""
        config = catalogue.config
        return self._execution.ask(
            config,
            lambda context: self._registry.storage(config.storage_plugin).backup_list(context),
            config.storage_plugin_parameters,
            lambda: self._registry.storage(config.storage_plugin).info(),
        )

    def _do(self, step: StepInput, act: Callable[[StoragePlugin, PluginContext], Result]) -> Result:
        config = step.config
        return self._execution.do(
            step,
            lambda context: act(self._registry.storage(config.storage_plugin), context),
            config.storage_plugin_parameters,
            lambda: self._registry.storage(config.storage_plugin).info(),
        )
