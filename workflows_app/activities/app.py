"""The steps that an app plugin does."""

from temporalio import activity

from workflows_app.activities.execution import StepExecution
from workflows_app.contracts import AppActivities, StepInput
from workflows_app.domain import naming
from workflows_app.domain.results import Result
from workflows_app.plugins.registry import PluginRegistry


class AppPluginActivities(AppActivities):
    """Calls the app plugin that the configuration names."""

    def __init__(self, registry: PluginRegistry, execution: StepExecution) -> None:
        self._registry = registry
        self._execution = execution

    @activity.defn(name=naming.APP_QUIESCE, no_thread_cancel_exception=True)
    def quiesce(self, step: StepInput) -> Result:
        """Freeze the application."""
        return self._execution.do(
            step,
            lambda context: self._registry.app(step.config.app_plugin).quiesce(context),
            step.config.app_plugin_parameters,
        )

    @activity.defn(name=naming.APP_UNQUIESCE, no_thread_cancel_exception=True)
    def unquiesce(self, step: StepInput) -> Result:
        """Thaw the application."""
        return self._execution.do(
            step,
            lambda context: self._registry.app(step.config.app_plugin).unquiesce(context),
            step.config.app_plugin_parameters,
        )
