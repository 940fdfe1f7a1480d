"""Fossul's sample app plugin: it says what it would do, and touches nothing (fossul-behaviour.md §7.5)."""

from workflows_app.domain.results import Capability, ParameterSpec, PluginInfo, Result
from workflows_app.plugins.base import PluginContext


class SampleApp:
    """An app plugin to try a configuration with, and to copy from."""

    def info(self) -> PluginInfo:
        """What the plugin is and can do; its name is Fossul's for it, not the one it is registered under."""
        return PluginInfo(
            name="sample",
            description="A sample plugin",
            version="1.0.0",
            type="app",
            capabilities=tuple(Capability(name=name) for name in ("quiesce", "unquiesce", "info")),
            parameters=tuple(
                ParameterSpec(name=name, help="Any text; it is not used")
                for name in ("SampleAppVar1", "SampleAppVar2")
            ),
        )

    def quiesce(self, context: PluginContext) -> Result:
        """Say that the application is quiesced."""
        context.info("*** Application Quiesce ***")
        return Result()

    def unquiesce(self, context: PluginContext) -> Result:
        """Say that the application is unquiesced."""
        context.info("*** Application Unquiesce ***")
        return Result()


plugin = SampleApp()
