"""The conformance suite finds a plugin whose test changes something, or answers no findings."""

from pathlib import Path
from typing import Any

import pytest

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.findings import Finding, FindingState, good
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.conformance.cases import Outcome, Verdict
from workflows_app.plugins.conformance.scratch import Scratch
from workflows_app.plugins.conformance.suite import check_plugin
from workflows_app.plugins.conformance.trial import Trial
from workflows_app.plugins.filesystem.plugin import FilesystemStorage
from workflows_app.plugins.sample_app.plugin import SampleApp

CASE = "check answers findings and changes nothing"


def outcome(plugin: Any, folder: Path) -> Outcome:
    """What comes of the one case."""
    trial = Trial(plugin, plugin.info().type, Scratch(folder), seconds=20)
    return next(each for each in check_plugin(trial) if each.case == CASE)


class Refusing(SampleApp):
    """A plugin whose test is refused."""

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        raise ConfigInvalid("SampleAppVar1", "is empty")


class Silent(SampleApp):
    """A plugin with a finding that says nothing."""

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        return (Finding(state=FindingState.BAD, words=""),)


class Listing(SampleApp):
    """A plugin that answers a list."""

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        return [good("fine")]  # type: ignore[return-value]


class Writing(FilesystemStorage):
    """A plugin whose test leaves something."""

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        Path(context.parameters["BackupDestPath"], "left").touch()
        return (good("fine"),)


@pytest.mark.parametrize(
    ("plugin", "verdict", "why"),
    [
        (FilesystemStorage, Verdict.OK, "findings"),
        (SampleApp, Verdict.OK, "1 findings"),
        (Refusing, Verdict.OK, "it is refused: SampleAppVar1: is empty"),
        (Silent, Verdict.FAIL, "a finding BAD has no words"),
        (Listing, Verdict.FAIL, "check answered list, not a tuple of Finding"),
        (Writing, Verdict.FAIL, "it changed something"),
    ],
)
def test_what_a_test_must_be(plugin: type, verdict: Verdict, why: str, tmp_path: Path):
    found = outcome(plugin(), tmp_path)
    assert found.verdict is verdict
    assert why in found.why


def test_a_plugin_without_a_test_has_nothing_to_keep(tmp_path: Path):
    class Plain:
        info = SampleApp.info

    assert outcome(Plain(), tmp_path).verdict is Verdict.SKIPPED
