"""How protection looks: a shape, a word, a colour, and the words that say from what it follows."""

from dataclasses import dataclass
from datetime import datetime

from workflows_app.domain.runs.protection import Promise, Protection, ProtectionState
from workflows_app.services.protection.protection import Outlook
from workflows_app.web.words.statuses import Status

_STATUS = {
    ProtectionState.PROTECTED: Status("complete", "protected", "shield-check"),
    ProtectionState.LAPSED: Status("error", "lapsed", "shield-alert"),
    ProtectionState.UNPROMISED: Status("pending", "no promise", "shield"),
    ProtectionState.EMPTY: Status("error", "nothing to restore", "shield-x"),
    ProtectionState.NEVER: Status("unknown", "never backed up", "shield-off"),
    ProtectionState.UNKNOWN: Status("unknown", "unknown", "shield-question-mark"),
}
_PROMISES = {
    Promise.MADE: "never due again",
    Promise.NONE: "no schedule",
    Promise.PAUSED: "schedules paused",
    Promise.DISABLED: "disabled",
    Promise.UNKNOWN: "schedules not known",
}
_NEXT = {
    Promise.MADE: "never",
    Promise.NONE: "not scheduled",
    Promise.PAUSED: "paused",
    Promise.DISABLED: "disabled",
    Promise.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class ProtectionView:
    """Protection as a page shows it.

    ``until`` is when it lapses or, with ``lapsed``, has lapsed. ``alarms`` says that a person must look,
    ``ask`` that a look at the restore points may tell more. ``why`` says in words what is not there or
    not known. ``made`` is when the newest restore point's backup began, ``seen`` when the storage was last
    seen to have it. ``late`` names the policies whose own schedules were not kept.
    """

    status: Status
    until: datetime | None
    lapsed: bool
    alarms: bool
    ask: bool
    why: str
    made: datetime | None
    name: str
    seen: datetime | None
    late: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutlookView:
    """Protection, and the next run: its time and policy, or in ``no_next`` why there is none."""

    protection: ProtectionView
    next_time: datetime | None
    next_policy: str
    no_next: str


def outlook_view(outlook: Outlook) -> OutlookView:
    """Answer how an outlook is shown."""
    return OutlookView(
        protection=_view(outlook.protection),
        next_time=outlook.next_time,
        next_policy=outlook.next_policy,
        no_next=_NEXT[outlook.promise],
    )


def _view(found: Protection) -> ProtectionView:
    lapsed = found.state is ProtectionState.LAPSED
    return ProtectionView(
        status=_STATUS[found.state],
        until=found.until if lapsed or found.state is ProtectionState.PROTECTED else None,
        lapsed=lapsed,
        alarms=lapsed or found.state is ProtectionState.EMPTY,
        ask=found.state is ProtectionState.UNKNOWN and (found.seen is None or bool(found.trouble)),
        why=_why(found),
        made=found.newest.made if found.newest else None,
        name=found.newest.name if found.newest else "",
        seen=found.seen,
        late=() if lapsed else found.lapsed_policies,
    )


def _why(found: Protection) -> str:
    if found.state is ProtectionState.UNPROMISED:
        return _PROMISES[found.promise]
    if found.state is ProtectionState.EMPTY:
        return "no backup is in the storage"
    if found.state is not ProtectionState.UNKNOWN:
        return ""
    if found.trouble:
        return "the storage cannot be read"
    if found.seen is None:
        return "the storage was not looked at yet"
    return _PROMISES[found.promise]
