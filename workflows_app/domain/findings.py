"""What a test of a configuration found: one finding for each thing that a run would need."""

from enum import StrEnum

from workflows_app.domain.results import Result
from workflows_app.domain.wire import WireModel


class FindingState(StrEnum):
    """Whether a run would have what it needs; ``UNKNOWN`` where that cannot be found out beforehand."""

    GOOD = "GOOD"
    WARN = "WARN"
    BAD = "BAD"
    UNKNOWN = "UNKNOWN"


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
