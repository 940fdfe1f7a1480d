"""What a step's result says of why it failed."""

import pytest

from workflows_app.domain.results import Level, Message, Result


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ((), "it answered code 3"),
        (("the disk is full", "Command failed with [exit status 1]"), "the disk is full"),
        (("Command [a b] failed",), "Command [a b] failed"),
        (("Command [a b] failed", "another"), "Command [a b] failed"),
        (
            ("Command [a b] failed", "Command failed with [exit status 1]"),
            "Command [a b] failed with [exit status 1]",
        ),
        (
            ("Plugin command [/x --backup] failed", "Plugin command failed with [signal: killed]", "more"),
            "Plugin command [/x --backup] failed with [signal: killed]",
        ),
    ],
)
def test_the_first_error_is_the_reason_with_how_a_command_failed(errors: tuple[str, ...], reason: str):
    said = [Message.now(Level.ERROR, text) for text in errors]
    assert Result(code=3, messages=(Message.now(Level.INFO, "began"), *said)).reason == reason


def test_the_words_in_which_a_plugin_refused_are_the_reason():
    said = Message.now(Level.ERROR, "pg_dump: error: query failed")
    refused = Result(code=1, messages=(said,), why="Database 'shop' could not be dumped: query failed")
    assert refused.reason == "Database 'shop' could not be dumped: query failed"
    assert "why" not in Result().wire()
