"""Fossul's sample storage plugin: it says what it would do, and stores nothing (fossul-behaviour.md §7.6)."""

from workflows_app.domain.findings import Finding, doubtful
from workflows_app.domain.results import Backup, ParameterSpec, PluginInfo, Result, capabilities
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.storing.mounting import NothingToMount


class SampleStorage(NothingToMount):
    """A storage plugin to try a configuration with, and to copy from."""

    def info(self) -> PluginInfo:
        """What the plugin is and can do."""
        return PluginInfo(
            name="sample-storage",
            description="A sample storage plugin",
            version="1.0.0",
            type="storage",
            capabilities=capabilities("backup", "restore", "backupList", "backupDeleteWorkflow", "info"),
            parameters=tuple(
                ParameterSpec(name=name, help="Any text; it is not used")
                for name in ("SampleStorageVar1", "SampleStorageVar2")
            ),
        )

    def backup(self, context: PluginContext) -> Result:
        """Say that a backup is made. ``Result.backup`` stays empty, for there is none."""
        context.info("*** Backup ***")
        return Result()

    def backup_list(self, context: PluginContext) -> tuple[Backup, ...]:
        """No backups, for none are made."""
        return ()

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        """Say that retention is done."""
        context.info("*** Backup Delete Workflow ***")
        return Result()

    def restore(self, context: PluginContext) -> Result:
        """Say that a restore is done."""
        context.info("*** Restore ***")
        return Result()

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Say that there is nowhere to write to."""
        return (doubtful("A sample plugin stores nothing: there will be no backup to restore"),)


plugin = SampleStorage()
