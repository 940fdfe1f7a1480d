"""The activities that a worker runs."""

from collections.abc import Callable
from typing import Any

from workflows_app.activities.app import AppPluginActivities
from workflows_app.activities.archive import ArchivePluginActivities
from workflows_app.activities.checks import ConfigCheckActivities
from workflows_app.activities.command import ConfiguredCommandActivities
from workflows_app.activities.execution import StepExecution
from workflows_app.activities.records import RunRecordActivities
from workflows_app.activities.schedules import ScheduleRecordActivities
from workflows_app.activities.storage import StoragePluginActivities
from workflows_app.plugins.registry import PluginRegistry


def build_questions(registry: PluginRegistry, execution: StepExecution) -> list[Callable[..., Any]]:
    """Answer the activities of questions, which are among ``build_activities``, too."""
    storage = StoragePluginActivities(registry, execution)
    return [storage.list, storage.browse, ArchivePluginActivities(registry, execution).list]


def build_activities(registry: PluginRegistry, execution: StepExecution) -> list[Callable[..., Any]]:
    """Answer every activity, bound to what it works with."""
    app = AppPluginActivities(registry, execution)
    storage = StoragePluginActivities(registry, execution)
    command = ConfiguredCommandActivities(execution)
    archive = ArchivePluginActivities(registry, execution)
    records = RunRecordActivities(execution)
    schedules = ScheduleRecordActivities()
    checks = ConfigCheckActivities(registry, execution)
    return [
        app.discover,
        app.quiesce,
        app.unquiesce,
        app.pre_restore,
        app.post_restore,
        storage.backup,
        storage.retention,
        storage.mount,
        storage.unmount,
        storage.restore,
        storage.list,
        storage.browse,
        storage.verify,
        storage.delete,
        archive.archive,
        archive.retention,
        archive.fetch,
        archive.list,
        records.job_retention,
        records.verification,
        records.removal,
        schedules.prepare,
        schedules.begin,
        schedules.skip,
        command.run,
        checks.app,
        checks.storage,
        checks.archive,
        checks.commands,
    ]
