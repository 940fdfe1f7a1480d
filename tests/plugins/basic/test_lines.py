import pytest

from workflows_app.domain.results import Level
from workflows_app.plugins.basic.lines import is_log_line, parse_line


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        ("INFO hello", Level.INFO, "hello"),
        ("WARN \t two  spaces stay ", Level.WARN, "two  spaces stay "),
        ("ERROR x", Level.ERROR, "x"),
        ("DEBUG x", Level.DEBUG, "x"),
        ("CMD ls -l", Level.CMD, "ls -l"),
        # fossul-behaviour.md §7.2, each checked there against the original
        ("[INFO] x", Level.UNKNOWN, "[INFO] x"),
        ("2020 INFO foo", Level.INFO, "foo"),
        ("xINFO y", Level.INFO, "y"),
        ("INFO", Level.UNKNOWN, "INFO"),
        ("INFO ", Level.INFO, ""),
        ("a WARN ERROR z", Level.WARN, "ERROR z"),
        ("COMMENT c", Level.UNKNOWN, "COMMENT c"),
        # Go's \s is ASCII, without the vertical tab
        ("INFO\N{NO-BREAK SPACE}x", Level.UNKNOWN, "INFO\N{NO-BREAK SPACE}x"),
        ("INFO\vx", Level.UNKNOWN, "INFO\vx"),
        ("INFO a\rb", Level.INFO, "a\rb"),
        (" ", Level.UNKNOWN, " "),
    ],
)
def test_a_line_is_read_as_fossul_reads_it(line: str, level: Level, text: str) -> None:
    assert parse_line(line) == (level, text)


def test_an_empty_line_is_none() -> None:
    assert parse_line("") is None


def test_a_log_line_begins_with_its_level() -> None:
    assert is_log_line("  DEBUG Config Parameters: {}")
    assert not is_log_line('{"description": "INFO x"}')
