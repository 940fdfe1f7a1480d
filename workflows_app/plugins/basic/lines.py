"""The lines that an executable prints, read as Fossul reads them (fossul-behaviour.md §7.2)."""

import re

from workflows_app.domain.results import Level

# Go's \s, which is ASCII and has no \v. Unanchored: what stands before the level is lost.
_LINE = re.compile(r"(INFO|WARN|ERROR|DEBUG|CMD)[\t\n\f\r ]+(.*)")
_LOG_LINE = re.compile(r"\s*" + _LINE.pattern)


def parse_line(line: str) -> tuple[Level, str] | None:
    """Answer the level and the text of a line, None for an empty one, which Fossul skips.

    A line without a level is whole, at level ``UNKOWN``.
    """
    if not line:
        return None
    match = _LINE.search(line)
    return (Level(match[1]), match[2]) if match else (Level.UNKNOWN, line)


def is_log_line(line: str) -> bool:
    """Whether a line begins with a level: among the lines of a JSON answer it is none of it."""
    return _LOG_LINE.match(line) is not None
