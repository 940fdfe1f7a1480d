"""The forms in which a log is downloaded: text for people and grep, one JSON object a line for programs."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC

from workflows_app.services.logs.messages import LogLine

StepName = Callable[[int], str]
"""Answers the name of a step by its number."""


def as_text(lines: Sequence[LogLine], name: StepName) -> str:
    """Answer lines of one attempt as they were printed, each with time and level.

    A heading stands before the first line of the attempt.
    """
    first = lines[0]
    heading = f"# {name(first.step)} (step {first.step}, attempt {first.attempt})\n" if first.seq == 1 else ""
    return heading + "".join(f"{_moment(line)} {line.level:<7} {line.text}\n" for line in lines)


def as_ndjson(lines: Sequence[LogLine], name: StepName) -> str:
    """Answer lines as JSON: Fossul's ``time`` (unix seconds), ``level`` and ``message``, and the address."""
    return "".join(f"{json.dumps(_object(line, name), ensure_ascii=False)}\n" for line in lines)


def _object(line: LogLine, name: StepName) -> dict[str, str | int]:
    return {
        "time": int(line.time.timestamp()),
        "level": line.level,
        "message": line.text,
        "at": _moment(line),
        "step": line.step,
        "name": name(line.step),
        "attempt": line.attempt,
        "line": line.seq,
    }


def _moment(line: LogLine) -> str:
    return line.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
