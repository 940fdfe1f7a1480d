"""The steps that an archive plugin does."""

from collections.abc import Callable

from temporalio import activity

from workflows_app.activities.abilities import archive_abilities
from workflows_app.activities.execution import StepExecution
from workflows_app.activities.retention import retain_archives
from workflows_app.contracts.activities import ArchiveActivities
from workflows_app.contracts.points import CatalogueInput
from workflows_app.contracts.steps import StepInput
from workflows_app.domain import naming
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Archives, Result
from workflows_app.plugins.base import ArchivePlugin, FetchingArchivePlugin, PluginContext
from workflows_app.plugins.registry import PluginRegistry


class ArchivePluginActivities(ArchiveActivities):
    """Calls the archive plugin that the configuration names."""

    def __init__(self, registry: PluginRegistry, execution: StepExecution) -> None:
        self._registry = registry
        self._execution = execution

    @activity.defn(name=naming.ARCHIVE_ARCHIVE, no_thread_cancel_exception=True)
    def archive(self, step: StepInput) -> Result:
        """Copy the run's backup to second storage."""
        return self._do(step, lambda plugin, context: plugin.archive(context))

    @activity.defn(name=naming.ARCHIVE_RETENTION, no_thread_cancel_exception=True)
    def retention(self, step: StepInput) -> Result:
        """Delete the archives that the run's policy does not keep."""
        return self._do(step, retain_archives)

    @activity.defn(name=naming.ARCHIVE_FETCH, no_thread_cancel_exception=True)
    def fetch(self, step: StepInput) -> Result:
        """Bring the archived backup ``step.config.backup`` back to the storage."""
        return self._do(
            step, lambda plugin, context: _fetching(plugin).fetch(context, step.config.backup.name)
        )

    @activity.defn(name=naming.ARCHIVE_LIST, no_thread_cancel_exception=True)
    def list(self, catalogue: CatalogueInput) -> Archives:
        """The archives that exist now; a failure to read them is in ``Archives.result``."""
        config = catalogue.config

        def look(context: PluginContext) -> Archives:
            plugin = self._registry.archive(config.archive_plugin)
            return Archives(
                archive=plugin.archive_list(context), abilities=archive_abilities(plugin), result=Result()
            )

        found, result = self._execution.ask(
            config,
            look,
            config.archive_plugin_parameters,
            lambda: self._registry.archive(config.archive_plugin).info(),
        )
        return (found or Archives(result=result)).model_copy(update={"result": result})

    def _do(self, step: StepInput, act: Callable[[ArchivePlugin, PluginContext], Result]) -> Result:
        config = step.config
        return self._execution.do(
            step,
            lambda context: act(self._registry.archive(config.archive_plugin), context),
            config.archive_plugin_parameters,
            lambda: self._registry.archive(config.archive_plugin).info(),
        )


def _fetching(plugin: ArchivePlugin) -> FetchingArchivePlugin:
    if not isinstance(plugin, FetchingArchivePlugin):
        raise PluginFailed("This archive plugin cannot bring a backup back: copy it by hand.")
    return plugin
