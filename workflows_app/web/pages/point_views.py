"""What pages show of a restore point: whether it is there, and whether it was verified."""

from dataclasses import dataclass

from workflows_app.domain.restore_points import Presence
from workflows_app.domain.states import CheckState
from workflows_app.services.points.restore_points import Point
from workflows_app.services.points.verifications import Check
from workflows_app.web.words.statuses import CANCELLED, RUNNING, UNKNOWN, Status

VERIFIED = Status("complete", "verified", "circle-check")
UNVERIFIED = Status("pending", "not verified", "circle-dashed")
BAD = Status("error", "verification failed", "octagon-x")
MISSING = Status("error", "missing", "octagon-x")
ARCHIVED = Status("waiting", "archived only", "archive")
VERIFYING = Status(RUNNING.kind, "verifying", RUNNING.icon)
HELD = Status("person", "held", "lock")

_PRESENCES = {Presence.MISSING: MISSING, Presence.UNKNOWN: UNKNOWN, Presence.ARCHIVED: ARCHIVED}
_CHECKS = {
    CheckState.RUNNING: VERIFYING,
    CheckState.GOOD: VERIFIED,
    CheckState.FAILED: BAD,
    CheckState.CANCELLED: CANCELLED,
    CheckState.LOST: UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class PointRow:
    """A restore point, and its status; ``held`` is the mark of one that is held."""

    point: Point
    status: Status
    held: Status | None

    @property
    def has_page(self) -> bool:
        """Whether its name can stand in an address; a plugin may call a backup anything."""
        return bool(self.point.backup.name) and "/" not in self.point.backup.name


def point_row(point: Point) -> PointRow:
    """Answer a restore point as a page shows it. It is green only where it is there and was verified."""
    return PointRow(point, _status(point), HELD if point.held else None)


def check_status(check: Check) -> Status:
    """Answer how the status of a verification looks."""
    return _CHECKS[check.state]


def _status(point: Point) -> Status:
    if not point.present:
        return _PRESENCES[point.presence]
    if point.check is not None and (point.check.failed or point.check.running):
        return check_status(point.check)
    return VERIFIED if point.verified else UNVERIFIED
