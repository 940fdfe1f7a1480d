"""Fossul's sample app plugin: it says what it would do, and touches nothing (fossul-behaviour.md §7.5)."""

from workflows_app.domain.findings import Finding, doubtful
from workflows_app.domain.results import Discover, ParameterSpec, PluginInfo, Result, capabilities
from workflows_app.plugins.base import PluginContext

_DATA = ("/path/to/data/file1", "/path/to/data/file2")
_LOGS = ("/path/to/logs/file1", "/path/to/logs/file2")
_FOUND = tuple(Discover(instance=name, data=_DATA, logs=_LOGS) for name in ("inst1", "inst2"))


class SampleApp:
    """An app plugin to try a configuration with, and to copy from."""

    def info(self) -> PluginInfo:
        """What the plugin is and can do; its name is Fossul's for it, not the one it is registered under."""
        return PluginInfo(
            name="sample",
            description="A sample plugin",
            version="1.0.0",
            type="app",
            capabilities=capabilities(
                "discover", "quiesce", "unquiesce", "preRestore", "postRestore", "info"
            ),
            parameters=tuple(
                ParameterSpec(name=name, help="Any text; it is not used")
                for name in ("SampleAppVar1", "SampleAppVar2")
            ),
        )

    def discover(self, context: PluginContext) -> Result:
        """Say that two instances are found, and answer them; their paths do not exist."""
        context.info("*** Application Discovery ***")
        for found in _FOUND:
            context.info(
                f"Instance [{found.instance}] data files: [{' '.join(found.data)}] "
                f"log files: [{' '.join(found.logs)}]"
            )
        return Result(discover_list=_FOUND)

    def quiesce(self, context: PluginContext) -> Result:
        """Say that the application is quiesced."""
        context.info("*** Application Quiesce ***")
        return Result()

    def unquiesce(self, context: PluginContext) -> Result:
        """Say that the application is unquiesced."""
        context.info("*** Application Unquiesce ***")
        return Result()

    def pre_restore(self, context: PluginContext) -> Result:
        """Say that the application is made ready for a restore."""
        context.info("*** Application PreRestore ***")
        return Result()

    def post_restore(self, context: PluginContext) -> Result:
        """Say that the application takes up its restored data."""
        context.info("*** Application PostRestore ***")
        return Result()

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Say that there is nothing to reach."""
        return (doubtful("A sample plugin reaches no application: nothing is frozen while it is backed up"),)


plugin = SampleApp()
