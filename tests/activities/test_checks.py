"""Tests of a configuration as a worker does them: what plugins say, and nothing that is secret."""

from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from tests.activities.conftest import Bench
from workflows_app.activities import checks
from workflows_app.activities.checks import ConfigCheckActivities
from workflows_app.contracts.checks import CheckInput
from workflows_app.domain.config import Config
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed, PluginMissing
from workflows_app.domain.findings import CheckPart, Finding, Findings, bad, good, unknown
from workflows_app.domain.results import ParameterSpec, PluginInfo
from workflows_app.plugins.base import PluginContext

SECRET = "correct-horse-battery"


class Shelf:
    """A registry of one plugin."""

    def __init__(self, plugin: Any) -> None:
        self._plugin = plugin

    def find(self, family: str, name: str) -> Any:
        if name != "acme":
            raise PluginMissing(f"There is no {family} plugin {name!r}")
        return self._plugin


class Acme:
    """A plugin that has no test."""

    def info(self) -> PluginInfo:
        return PluginInfo(
            name="acme", version="1.2", type="app", parameters=(ParameterSpec(name="Opening", secret=True),)
        )


class Looking(Acme):
    """A plugin whose test answers, or raises, what it is made with."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        if isinstance(self._answer, BaseException):
            raise self._answer
        return tuple(self._answer(context))


def look(bench: Bench, plugin: Any, name: str = "acme", **parameters: str) -> Findings:
    """Test the app plugin of that name."""
    activities = ConfigCheckActivities(Shelf(plugin), bench.execution)
    config = Config(app_plugin=name, app_plugin_parameters=parameters)
    environment = ActivityEnvironment()
    return environment.run(activities.app, CheckInput(config=config, parts=(CheckPart.APP,)))


ANSWERS = good("The plugin acme, version 1.2, is there and answers")


def test_what_the_plugin_finds_follows_that_it_answers(bench: Bench):
    found = look(
        bench, Looking(lambda context: [bad("no", "Host"), good(context.parameters["Host"])]), Host="h"
    )
    assert found.findings == (ANSWERS, bad("no", "Host"), good("h"))
    assert found.result.code == 0


def test_a_plugin_without_a_test_answers_and_the_rest_is_unknown(bench: Bench):
    found = look(bench, Acme())
    assert found.findings == (
        ANSWERS,
        unknown("What it needs cannot be tried beforehand: this plugin has no test"),
    )


@pytest.mark.parametrize(
    ("error", "finding"),
    [
        (ConfigInvalid("Host", "is empty"), bad("is empty", "Host")),
        (PluginFailed("It is away"), bad("It is away")),
    ],
)
def test_a_refusal_is_a_bad_finding(bench: Bench, error: Exception, finding: Finding):
    assert look(bench, Looking(error)).findings == (ANSWERS, finding)


def test_a_plugin_that_is_not_there_is_told(bench: Bench):
    found = look(bench, Acme(), "other")
    assert found.findings == ()
    assert found.result.reason == "There is no app plugin 'other'"


def test_a_plugin_that_cannot_tell_of_itself_is_tested_all_the_same(bench: Bench):
    class Dumb(Looking):
        def info(self) -> PluginInfo:
            raise PluginFailed("no --info")

    found = look(bench, Dumb(lambda context: [good("fine")]))
    assert [each.state.value for each in found.findings] == ["WARN", "GOOD"]
    assert "no --info" in found.findings[0].words


def test_a_secret_is_in_no_finding(bench: Bench):
    def tell(context: PluginContext) -> list[Finding]:
        return [good(f"opened with {context.parameters['Opening']}", context.parameters["Opening"])]

    found = look(bench, Looking(tell), Opening=SECRET)
    assert found.findings[1] == good("opened with ***", "***")


def test_no_more_is_told_than_temporal_takes(bench: Bench):
    found = look(bench, Looking(lambda context: [bad("no " * 10_000)] * 1000)).findings
    assert len(found) == checks.MOST_FINDINGS + 1
    assert len(found[1].words) == checks.LONGEST_WORDS
    assert found[-1] == unknown("901 more findings were left out")


@pytest.mark.parametrize("error", [ValueError(f"fell over {SECRET}"), SystemExit(3)])
def test_a_crash_is_an_error_without_the_secret(bench: Bench, error: BaseException):
    with pytest.raises(Exception, match=r"fell over \*\*\*|SystemExit") as crashed:
        look(bench, Looking(error), Opening=SECRET)
    assert SECRET not in str(crashed.value)


def test_a_test_that_is_cancelled_ends(bench: Bench):
    with pytest.raises(Exception, match=r"stopped|cancelled"):
        look(bench, Looking(Cancelled()))
