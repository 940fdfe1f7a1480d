"""The steps that a storage plugin does."""

from temporalio import activity

from workflows_app.activities.execution import StepExecution
from workflows_app.contracts import StepInput, StorageActivities
from workflows_app.domain import naming
from workflows_app.domain.results import Result
from workflows_app.plugins.registry import PluginRegistry


class StoragePluginActivities(StorageActivities):
    """Calls the storage plugin that the configuration names."""

    def __init__(self, registry: PluginRegistry, execution: StepExecution) -> None:
        self._registry = registry
        self._execution = execution

    @activity.defn(name=naming.STORAGE_BACKUP, no_thread_cancel_exception=True)
    def backup(self, step: StepInput) -> Result:
        """Make the backup."""
        return self._execution.do(
            step,
            lambda context: self._registry.storage(step.config.storage_plugin).backup(context),
            step.config.storage_plugin_parameters,
        )
