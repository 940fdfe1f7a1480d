"""How long a run's application stands still, or did, and what comes next."""

from dataclasses import dataclass
from datetime import datetime

from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import FreezeState

_OUTCOMES = {
    FreezeState.FROZEN: "frozen",
    FreezeState.THAWED: "thawed",
    FreezeState.FAILED: "thaw failed",
    FreezeState.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Freeze:
    """How long the application stood still, or has until now; ``words`` say what comes next.

    ``outcome`` is what became of it: frozen, thawed, thaw failed or unknown. ``until`` is when the watchdog
    thaws it, None when none does.
    """

    frozen: bool
    outcome: str
    since: datetime
    seconds: float
    words: str
    until: datetime | None = None


def freeze_of(progress: Progress, now: datetime) -> Freeze | None:
    """Answer how the run of ``progress`` holds its application at ``now``; None when it never did."""
    since = progress.frozen_since
    if since is None:
        return None
    watchdog = progress.watchdog
    until = watchdog.until if watchdog and not watchdog.ended and not watchdog.reason else None
    return Freeze(
        progress.frozen,
        _OUTCOMES[progress.freeze],
        since,
        progress.frozen_seconds(now),
        _words(progress),
        until if progress.frozen else None,
    )


def _words(progress: Progress) -> str:
    watchdog = progress.watchdog
    if not progress.frozen:
        return f"{watchdog.reason}: the watchdog thawed it" if watchdog and watchdog.reason else ""
    if progress.freeze is FreezeState.UNKNOWN:
        return "Whether it was thawed is not known. Look at the application, and thaw it by hand if need be"
    if watchdog and watchdog.reason and not watchdog.ended:
        return f"{watchdog.reason}: the watchdog thaws it"
    if progress.state.closed and (watchdog is None or watchdog.ended):
        return "The run has ended without unquiescing it. Thaw it now"
    if progress.thaw_failed:
        return "An attempt to unquiesce it failed; it is tried again"
    return ""
