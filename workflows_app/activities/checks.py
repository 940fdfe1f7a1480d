"""Tests of a configuration, where the worker runs: of its plugins, and of the programs of its commands."""

from collections.abc import Callable, Iterator
from typing import Any

from temporalio import activity

from workflows_app.activities.execution import StepExecution
from workflows_app.contracts.activities import CheckActivities
from workflows_app.contracts.checks import CheckInput
from workflows_app.domain import naming
from workflows_app.domain.config_files.configuration import Family
from workflows_app.domain.errors import FossulError
from workflows_app.domain.findings import Finding, Findings, doubtful, good, refusal, unknown
from workflows_app.domain.results import PluginInfo
from workflows_app.plugins.base import CheckingPlugin, PluginContext
from workflows_app.plugins.command_check import check_commands
from workflows_app.plugins.registry import PluginRegistry

MOST_FINDINGS = 100
LONGEST_WORDS = 2000
LONGEST_NAME = 100

Found = tuple[Finding, ...]


class ConfigCheckActivities(CheckActivities):
    """Asks the plugins that the configuration names, and looks for the programs of its commands."""

    def __init__(self, registry: PluginRegistry, execution: StepExecution) -> None:
        self._registry = registry
        self._execution = execution

    @activity.defn(name=naming.APP_CHECK, no_thread_cancel_exception=True)
    def app(self, check: CheckInput) -> Findings:
        """Try what a run needs of the app plugin."""
        return self._plugin(Family.APP, check)

    @activity.defn(name=naming.STORAGE_CHECK, no_thread_cancel_exception=True)
    def storage(self, check: CheckInput) -> Findings:
        """Try what a run needs of the storage plugin."""
        return self._plugin(Family.STORAGE, check)

    @activity.defn(name=naming.ARCHIVE_CHECK, no_thread_cancel_exception=True)
    def archive(self, check: CheckInput) -> Findings:
        """Try what a run needs of the archive plugin."""
        return self._plugin(Family.ARCHIVE, check)

    @activity.defn(name=naming.COMMAND_CHECK, no_thread_cancel_exception=True)
    def commands(self, check: CheckInput) -> Findings:
        """Look for the programs of all commands."""
        return self._ask(check, lambda context: check_commands(context, check.programs), {}, PluginInfo)

    def _plugin(self, family: Family, check: CheckInput) -> Findings:
        name = family.plugin(check.config)
        if not name:
            return Findings(
                findings=(unknown(f"No {family.lower()} plugin is chosen: there is nothing to test"),)
            )

        def info() -> PluginInfo:
            told: PluginInfo = self._registry.find(family.lower(), name).info()
            return told

        def look(context: PluginContext) -> Found:
            return tuple(_tried(self._registry.find(family.lower(), name), name, context))

        return self._ask(check, look, family.parameters(check.config), info)

    def _ask(
        self,
        check: CheckInput,
        look: Callable[[PluginContext], Found],
        parameters: dict[str, str],
        info: Callable[[], PluginInfo],
    ) -> Findings:
        # Taken apart at once, mypy would look for a type of answer that may be None.
        asked = self._execution.ask(check.config, look, parameters, info, _fit)
        found, result = asked
        return Findings(findings=found or (), result=result)


def _tried(plugin: Any, name: str, context: PluginContext) -> Iterator[Finding]:
    """What a plugin says of itself, and what it finds."""
    yield _answered(plugin, name)
    if not isinstance(plugin, CheckingPlugin):
        yield unknown("What it needs cannot be tried beforehand: this plugin has no test")
        return
    try:
        yield from plugin.check(context)
    except FossulError as error:
        yield refusal(error)


def _answered(plugin: Any, name: str) -> Finding:
    try:
        info = plugin.info()
    except FossulError as error:
        return doubtful(f"The plugin {name} is there, but says nothing of itself: {error}")
    version = f", version {info.version}," if info.version else ""
    return good(f"The plugin {name}{version} is there and answers")


def _fit(found: Found, redact: Callable[[str], str]) -> Found:
    """The findings without secrets, and no more of them than Temporal takes and a person reads."""
    kept = tuple(
        finding.model_copy(
            update={
                "words": redact(finding.words)[:LONGEST_WORDS],
                "parameter": redact(finding.parameter)[:LONGEST_NAME],
            }
        )
        for finding in found[:MOST_FINDINGS]
    )
    left_out = len(found) - len(kept)
    return (*kept, unknown(f"{left_out} more findings were left out")) if left_out else kept
