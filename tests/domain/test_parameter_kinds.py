import pytest

from workflows_app.domain.parameter_kinds import (
    FLAG,
    PATH,
    PATHS,
    SIZE,
    TEXT,
    ParameterForm,
    choice,
    number,
)
from workflows_app.domain.results import ParameterSpec, PluginInfo


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        (TEXT, ["anything at all", "../x"], []),
        (FLAG, ["true", "false", " true "], ["True", "yes", "1"]),
        (choice("fast", "spread"), ["fast"], ["Fast", "slow"]),
        (number(1, 64), ["1", "64", "007"], ["0", "65", "-1", "1.5", "x", "1 2"]),
        (number(1), ["1", "99999999"], ["0"]),
        (SIZE, ["1", "512K", "12m", "1G"], ["K", "12T", "-1", "1.5M"]),
        (PATH, ["/", "/a b/c"], ["a", "./a", "~"]),
        (PATHS, ["/a", "/a, /b", "/a,,/b,"], ["/a,b", "a"]),
    ],
)
def test_a_text_is_held_against_its_form(form: ParameterForm, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if form.refusal(text)] == []
    assert [text for text in bad if not form.refusal(text)] == []


@pytest.mark.parametrize("text", ["", "  ", "env:LEVEL", "file:/run/secrets/level", "sealed:gAAAA"])
def test_what_a_worker_resolves_and_what_is_not_given_is_left_alone(text: str) -> None:
    for form in (FLAG, number(1, 2), PATH, choice("a")):
        assert form.refusal(text) == ""


def test_a_refusal_says_what_would_be_right() -> None:
    assert number(1, 19).refusal("20") == "'20' is not a whole number from 1 to 19"
    assert number(1).refusal("0") == "'0' is not a whole number of 1 or more"
    assert choice("fast", "spread").refusal("x") == "'x' is none of fast, spread"


def test_a_form_travels_with_what_a_plugin_says_of_itself() -> None:
    info = PluginInfo(name="x", parameters=(ParameterSpec(name="Level", form=number(1, 19)),))
    assert PluginInfo.model_validate(info.wire()) == info
    told = PluginInfo.model_validate(
        {"parameters": [{"name": "Level"}, {"name": "Fast", "form": {"kind": "flag"}}]}
    )
    assert [spec.form for spec in told.parameters] == [TEXT, FLAG]
