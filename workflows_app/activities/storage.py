"""The steps that a storage plugin does."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from temporalio import activity

from workflows_app.activities.abilities import browsable, deleting, storage_abilities, verifying
from workflows_app.activities.catalogues import note_backups, note_trouble
from workflows_app.activities.execution import StepExecution
from workflows_app.activities.holds import held_names, refuse_held
from workflows_app.activities.retention import retain_backups
from workflows_app.contracts.activities import StorageActivities
from workflows_app.contracts.points import BrowseInput, CatalogueInput, PointInput, VerifyInput
from workflows_app.contracts.steps import StepInput
from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.file_listings import FileListing
from workflows_app.domain.results import Backups, Result
from workflows_app.plugins.base import PluginContext, StoragePlugin
from workflows_app.plugins.registry import PluginRegistry

T = TypeVar("T")


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
        return self._do(step, lambda plugin, context: retain_backups(plugin, context, step.run))

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
        """The backups that exist now, which is written down, too; a failure is in ``Backups.result``."""
        begun = datetime.now(UTC)

        def look(plugin: StoragePlugin, context: PluginContext) -> Backups:
            return Backups(
                backup=plugin.backup_list(context), abilities=storage_abilities(plugin), result=Result()
            )

        found, result = self._ask(catalogue.config, look)
        if found is not None:
            note_backups(catalogue.config, found.backup, begun)
        else:
            note_trouble(catalogue.config, result.reason, begun)
        return (found or Backups(result=result)).model_copy(update={"result": result})

    @activity.defn(name=naming.STORAGE_BROWSE, no_thread_cancel_exception=True)
    def browse(self, browse: BrowseInput) -> FileListing:
        """A page of the files of ``browse.config.backup``; a failure is in ``FileListing.result``."""
        found, result = self._ask(
            browse.config, lambda plugin, context: browsable(plugin).backup_browse(context, browse.query)
        )
        return (found or FileListing()).model_copy(update={"result": result})

    @activity.defn(name=naming.STORAGE_VERIFY, no_thread_cancel_exception=True)
    def verify(self, point: VerifyInput) -> Result:
        """Verify ``point.config.backup`` now."""
        return self._act(point, lambda plugin, context: verifying(plugin).backup_verify(context))

    @activity.defn(name=naming.STORAGE_DELETE, no_thread_cancel_exception=True)
    def delete(self, point: PointInput) -> Result:
        """Delete ``point.config.backup``, unless it is held."""

        def delete(plugin: StoragePlugin, context: PluginContext) -> Result:
            refuse_held(context.config.backup.name)
            return deleting(plugin).backup_delete(replace(context, held=held_names))

        return self._act(point, delete)

    def _act(self, point: PointInput, act: Callable[[StoragePlugin, PluginContext], Result]) -> Result:
        found, result = self._ask(point.config, act)
        messages = (*result.messages, *(found.messages if found else ()))
        return Result(code=result.code or (found.code if found else 1), messages=messages)

    def _ask(
        self, config: Config, look: Callable[[StoragePlugin, PluginContext], T]
    ) -> tuple[T | None, Result]:
        return self._execution.ask(
            config,
            lambda context: look(self._registry.storage(config.storage_plugin), context),
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
