"""What pages show of the test of a configuration: each part with its findings, the worst first."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from workflows_app.domain.config import CommandField
from workflows_app.domain.config_files.configuration import Family
from workflows_app.domain.editing.config_problems import parameter_setting
from workflows_app.domain.findings import CheckedParts, CheckPart, Finding, Findings, FindingState, bad
from workflows_app.web.editors.form_fields import field_id
from workflows_app.web.words.statuses import UNKNOWN, Status

GOOD = Status("complete", "good", "circle-check")
DOUBTFUL = Status("warn", "doubtful", "triangle-alert")
BAD = Status("error", "bad", "octagon-x")

_STATUSES = {
    FindingState.BAD: BAD,
    FindingState.WARN: DOUBTFUL,
    FindingState.UNKNOWN: UNKNOWN,
    FindingState.GOOD: GOOD,
}
_WORST_FIRST = tuple(_STATUSES)
PART_TITLES: Mapping[CheckPart, str] = {
    CheckPart.APP: "Application plugin",
    CheckPart.STORAGE: "Storage plugin",
    CheckPart.ARCHIVE: "Archive plugin",
    CheckPart.COMMANDS: "Commands",
}


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding; ``field`` is the id of the editor's input that it is about, empty for none."""

    status: Status
    words: str
    parameter: str
    field: str


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of a configuration, with the worst that was found of it."""

    title: str
    status: Status
    rows: tuple[FindingRow, ...]


@dataclass(frozen=True, slots=True)
class CheckView:
    """A test that was made at ``time``. ``trouble`` says why there is none; then there are no parts."""

    time: datetime
    parts: tuple[PartView, ...] = ()
    trouble: str = ""

    @property
    def summary(self) -> str:
        """How many findings there are of each kind, in words."""
        counts = Counter(row.status.word for part in self.parts for row in part.rows)
        told = [f"{counts[s.word]} {s.word}" for s in _STATUSES.values() if counts[s.word]]
        return ", ".join(told)

    @property
    def status(self) -> Status:
        """The worst of all."""
        found = [part.status for part in self.parts]
        return next((s for s in _STATUSES.values() if s in found), UNKNOWN)


def check_view(checked: CheckedParts, now: datetime) -> CheckView:
    """Answer what a test that ended ``now`` found, as a page shows it."""
    if not checked.parts:
        return CheckView(now, trouble="Nothing is configured yet, so there is nothing to test.")
    return CheckView(now, tuple(_part(part, found) for part, found in checked.parts.items()))


def _part(part: CheckPart, found: Findings) -> PartView:
    findings = [*found.findings, *([bad(found.result.reason)] if found.result.code else [])]
    findings.sort(key=lambda finding: _WORST_FIRST.index(finding.state))
    rows = tuple(_row(part, finding) for finding in findings)
    return PartView(PART_TITLES[part], rows[0].status if rows else UNKNOWN, rows)


def _row(part: CheckPart, finding: Finding) -> FindingRow:
    name = finding.parameter
    if part is not CheckPart.COMMANDS:
        name = parameter_setting(Family(part.title()), name) if name else ""
    elif name not in list(CommandField):
        name = ""  # the plan's own have no input here
    return FindingRow(
        _STATUSES[finding.state], finding.words, finding.parameter, field_id(name) if name else ""
    )
