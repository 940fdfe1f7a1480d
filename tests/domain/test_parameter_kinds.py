import pytest

from workflows_app.domain.parameter_kinds import (
    ADDRESS,
    FLAG,
    PATH,
    PATHS,
    SIZE,
    TEXT,
    ParameterForm,
    choice,
    number,
    spelled,
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
        (spelled("abc0123.-", 2, 4), ["ab", "0.-c"], ["a", "abcab", "A1", "a b"]),
        (spelled("ab"), ["a" * 1000], ["c"]),
        (ADDRESS, ["https://s3.example.org:9000", "http://[::1]/"], ["s3.example.org", "ftp://x", "http://"]),
        (ADDRESS, [], ["https://u:p@x", "https://x/path", "https://x?q", "https://x:port", "https://[::1"]),
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
    name = spelled("abcdef0123456789.-", 3, 63)
    assert name.refusal("A_b") == "'A_b' has other characters than a-f, 0-9, '.', '-'"
    assert name.refusal("ab") == "'ab' has 2 characters instead of 3 to 63"
    assert "secret" not in ADDRESS.refusal("https://me:secret@s3.example.org")


def test_a_form_travels_with_what_a_plugin_says_of_itself() -> None:
    info = PluginInfo(name="x", parameters=(ParameterSpec(name="Level", form=number(1, 19)),))
    assert PluginInfo.model_validate(info.wire()) == info
    told = PluginInfo.model_validate(
        {"parameters": [{"name": "Level"}, {"name": "Fast", "form": {"kind": "flag"}}]}
    )
    assert [spec.form for spec in told.parameters] == [TEXT, FLAG]
