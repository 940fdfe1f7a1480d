"""What a conformance case is, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from workflows_app.plugins.conformance.trial import Trial


class Verdict(StrEnum):
    """What a case found, as it is printed."""

    OK = "ok"
    FAIL = "FAIL"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case; ``why`` may be empty when it went well."""

    verdict: Verdict
    case: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One promise of a plugin.

    ``look`` answers a remark, or ``""``; it raises CaseFailed or CaseSkipped. A FossulError that it lets
    through is the plugin's refusal of what it should have done.
    """

    name: str
    look: Callable[[Trial], str]
