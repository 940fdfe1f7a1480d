"""Findings: how they are made, and that they come back from the wire as they were."""

import pytest

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.findings import (
    CheckedParts,
    CheckPart,
    Finding,
    Findings,
    FindingState,
    bad,
    doubtful,
    good,
    refusal,
    unknown,
)
from workflows_app.domain.results import Level, Message, Result


@pytest.mark.parametrize(
    ("make", "state"),
    [
        (good, FindingState.GOOD),
        (doubtful, FindingState.WARN),
        (bad, FindingState.BAD),
        (unknown, FindingState.UNKNOWN),
    ],
)
def test_each_kind_has_its_state(make, state):
    assert make("words", "Host") == Finding(state=state, words="words", parameter="Host")


def test_a_refused_value_is_bad_at_its_parameter():
    assert refusal(ConfigInvalid("PqPort", "is no number"), "PqDb") == bad("is no number", "PqPort")
    assert refusal(PluginFailed("It does not answer"), "PqDb") == bad("It does not answer", "PqDb")


def test_what_was_found_comes_back_from_the_wire_as_it_was():
    failed = Result(code=1, messages=(Message(level=Level.ERROR, message="no"),))
    found = CheckedParts(
        parts={CheckPart.APP: Findings(findings=(good("fine"),)), CheckPart.COMMANDS: Findings(result=failed)}
    )
    assert CheckedParts.model_validate_json(found.model_dump_json(by_alias=True)) == found
    assert "parameter" not in found.wire()["parts"]["app"]["findings"][0]
