"""The steps that an app plugin does."""

from collections.abc import Callable

from temporalio import activity

from workflows_app.activities.execution import StepExecution
from workflows_app.contracts.activities import AppActivities
from workflows_app.contracts.steps import StepInput
from workflows_app.domain import naming
from workflows_app.domain.results import Result
from workflows_app.plugins.base import AppPlugin, PluginContext
from workflows_app.plugins.registry import PluginRegistry


class AppPluginActivities(AppActivities):
    """Calls the app plugin that the configuration names."""

    def __init__(self, registry: PluginRegistry, execution: StepExecution) -> None:
        self._registry = registry
        self._execution = execution

    @activity.defn(name=naming.APP_DISCOVER, no_thread_cancel_exception=True)
    def discover(self, step: StepInput) -> Result:
        """Find the application's data and logs."""
        return self._do(step, lambda plugin, context: plugin.discover(context))

    @activity.defn(name=naming.APP_QUIESCE, no_thread_cancel_exception=True)
    def quiesce(self, step: StepInput) -> Result:
        """Freeze the application."""
        return self._do(step, lambda plugin, context: plugin.quiesce(context))

    @activity.defn(name=naming.APP_UNQUIESCE, no_thread_cancel_exception=True)
    def unquiesce(self, step: StepInput) -> Result:
        """Thaw the application."""
        return self._do(step, lambda plugin, context: plugin.unquiesce(context))

    @activity.defn(name=naming.APP_PRE_RESTORE, no_thread_cancel_exception=True)
    def pre_restore(self, step: StepInput) -> Result:
        """Make the application ready for its data to be replaced."""
        return self._do(step, lambda plugin, context: plugin.pre_restore(context))

    @activity.defn(name=naming.APP_POST_RESTORE, no_thread_cancel_exception=True)
    def post_restore(self, step: StepInput) -> Result:
        """Let the application take up its restored data."""
        return self._do(step, lambda plugin, context: plugin.post_restore(context))

    def _do(self, step: StepInput, act: Callable[[AppPlugin, PluginContext], Result]) -> Result:
        config = step.config
        return self._execution.do(
            step,
            lambda context: act(self._registry.app(config.app_plugin), context),
            config.app_plugin_parameters,
            lambda: self._registry.app(config.app_plugin).info(),
        )
