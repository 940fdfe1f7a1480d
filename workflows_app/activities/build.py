"""The activities that a worker runs."""

from collections.abc import Callable
from typing import Any

from workflows_app.activities.app import AppPluginActivities
from workflows_app.activities.command import ConfiguredCommandActivities
from workflows_app.activities.execution import StepExecution
from workflows_app.activities.storage import StoragePluginActivities
from workflows_app.plugins.registry import PluginRegistry


def build_activities(registry: PluginRegistry, execution: StepExecution) -> list[Callable[..., Any]]:
    """Answer every activity, bound to what it works with."""
    app = AppPluginActivities(registry, execution)
    storage = StoragePluginActivities(registry, execution)
    command = ConfiguredCommandActivities(execution)
    return [app.quiesce, app.unquiesce, storage.backup, command.run]
