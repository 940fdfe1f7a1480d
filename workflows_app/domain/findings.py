"""What a test of a configuration found: one finding for each thing that a run would need."""

from enum import StrEnum

from workflows_app.domain.errors import ConfigInvalid, FossulError
from workflows_app.domain.results import Result
from workflows_app.domain.wire import WireModel


class FindingState(StrEnum):
    """Whether a run would have what it needs; ``UNKNOWN`` where that cannot be found out beforehand."""

    GOOD = "GOOD"
    WARN = "WARN"
    BAD = "BAD"
    UNKNOWN = "UNKNOWN"


class CheckPart(StrEnum):
    """What of a configuration is tested by itself: each plugin, and all of its commands."""

    APP = "app"
    STORAGE = "storage"
    ARCHIVE = "archive"
    COMMANDS = "commands"


class Finding(WireModel):
    """One thing that was tried, changing nothing.

    ``parameter`` names the parameter that it is about, empty for none. ``words`` say what was found and,
    where it is not good, what to do.
    """

    omit_empty = frozenset({"parameter"})

    state: FindingState
    words: str
    parameter: str = ""


class Findings(WireModel):
    """All that a test found; ``result`` says why there is nothing when it could not be made."""

    findings: tuple[Finding, ...] = ()
    result: Result = Result()


class CheckedParts(WireModel):
    """What the test of each part of a configuration found."""

    parts: dict[CheckPart, Findings] = {}


def good(words: str, parameter: str = "") -> Finding:
    """A finding that a run has what it needs."""
    return Finding(state=FindingState.GOOD, words=words, parameter=parameter)


def doubtful(words: str, parameter: str = "") -> Finding:
    """A finding that a run would go on with, and a person should know of."""
    return Finding(state=FindingState.WARN, words=words, parameter=parameter)


def bad(words: str, parameter: str = "") -> Finding:
    """A finding with which a run would fail."""
    return Finding(state=FindingState.BAD, words=words, parameter=parameter)


def unknown(words: str, parameter: str = "") -> Finding:
    """A finding that only a run can tell."""
    return Finding(state=FindingState.UNKNOWN, words=words, parameter=parameter)


def refusal(error: FossulError, parameter: str = "") -> Finding:
    """The bad finding that an error tells of; ``parameter`` where the error names none."""
    if isinstance(error, ConfigInvalid):
        return bad(error.reason, error.field)
    return bad(str(error), parameter)
