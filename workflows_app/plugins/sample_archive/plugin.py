"""Fossul's sample archive plugin: it says what it would do, and copies nothing (fossul-behaviour.md §7.7)."""

from workflows_app.domain.findings import Finding, doubtful
from workflows_app.domain.results import Archive, PluginInfo, Result, capabilities
from workflows_app.plugins.base import PluginContext


class SampleArchive:
    """An archive plugin to try a configuration with, and to copy from."""

    def info(self) -> PluginInfo:
        """What the plugin is and can do."""
        return PluginInfo(
            name="sample-archive",
            description="A sample archive plugin",
            version="1.0.0",
            type="archive",
            capabilities=capabilities("archive", "archiveList", "archiveDelete", "info"),
        )

    def archive(self, context: PluginContext) -> Result:
        """Say that an archive is made."""
        context.info("*** Archive ***")
        return Result()

    def archive_list(self, context: PluginContext) -> tuple[Archive, ...]:
        """No archives, for none are made."""
        return ()

    def archive_delete(self, context: PluginContext) -> Result:
        """Say that retention is done."""
        context.info("*** Archive Delete ***")
        return Result()

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Say that there is nowhere to write to."""
        return (doubtful("A sample plugin copies nothing: there will be no archive"),)


plugin = SampleArchive()
