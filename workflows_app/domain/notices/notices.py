"""What is sent: a notice says what happened, to what, and where to look. Never a secret."""

from datetime import UTC, datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from workflows_app.domain.notices.incidents import Incident, IncidentKind, Turn
from workflows_app.domain.secrets.redaction import Redactor

LONGEST_REASON = 2000
LONGEST_LINE = 500
LAST_LINES = 20


class NoticeEvent(StrEnum):
    """Why something is sent; the values are the ``event`` of a webhook."""

    ALERT = "incident.opened"
    REMINDER = "incident.reminder"
    RECOVERY = "incident.recovered"
    RUN_STARTED = "run.started"
    RUN_SUCCEEDED = "run.succeeded"
    RUN_FAILED = "run.failed"
    DIGEST = "digest"
    HEARTBEAT = "heartbeat"
    TEST = "test"


_EVENT_OF_TURN = {
    Turn.ALERT: NoticeEvent.ALERT,
    Turn.REMINDER: NoticeEvent.REMINDER,
    Turn.RECOVERY: NoticeEvent.RECOVERY,
}
_TITLES = {
    IncidentKind.FAILED: "{place}: the {detail} failed",
    IncidentKind.FROZEN: "{place}: the application stands frozen",
    IncidentKind.WAITING: "{place}: a run waits for a person",
    IncidentKind.OVERDUE: "{place}: a backup is overdue",
    IncidentKind.MISSED: "{place}: a scheduled backup was missed",
    IncidentKind.SKIPPED: "{place}: a scheduled backup was skipped",
    IncidentKind.UNPROTECTED: "{place}: not protected as its schedules promise",
    IncidentKind.DAMAGED: "{place}: a backup is damaged",
    IncidentKind.MISSING: "{place}: a backup is missing from the storage",
}
_PREFIXES = {Turn.ALERT: "", Turn.REMINDER: "Still so: ", Turn.RECOVERY: "Over: "}


class Part(BaseModel):
    """One of several incidents that are told together; its fields are those of its own notice."""

    model_config = ConfigDict(frozen=True)

    key: str
    title: str
    reason: str
    url: str


class Notice(BaseModel):
    """One thing to be told, or several together (``notices.bundles``), each of which is one of ``parts``.

    ``key`` is that of the incident, or of whatever else it is about, and the same in a repetition: who has
    had it already can leave it. ``kind`` is an ``IncidentKind``, empty for anything else. ``state`` is
    ``open`` or ``recovered`` of an incident, a run's state of a run. ``url`` is where to look.
    """

    model_config = ConfigDict(frozen=True)

    event: NoticeEvent
    key: str
    title: str
    time: datetime
    kind: str = ""
    profile: str = ""
    config: str = ""
    policy: str = ""
    run: int | None = None
    state: str = ""
    reason: str = ""
    url: str = ""
    lines: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def text(self) -> str:
        """The whole of it, for a reader."""
        lines = [*self.lines, *(f"- {part.title}: {part.reason} {part.url}" for part in self.parts)]
        told = [self.reason, "\n".join(lines), self.url, f"Key: {self.key}" if self.kind else ""]
        return "\n\n".join(each for each in told if each)


def incident_title(kind: IncidentKind, profile: str, config: str, detail: str) -> str:
    """What an incident is called."""
    return _TITLES[kind].format(place=f"{profile}/{config}", detail=detail or "run")


def of_incident(incident: Incident, turn: Turn, key: str, over: str, url: str, now: datetime) -> Notice:
    """Answer what is to be told of an incident. ``over`` is why it is, for its end."""
    title = incident_title(incident.kind, incident.profile, incident.config, incident.detail)
    began = f"It began {incident.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
    told = incident.reason if incident.reason.endswith((".", "!", "?", "…")) else f"{incident.reason}."
    reason = f"{over} It was: {told} {began}" if turn is Turn.RECOVERY else f"{told} {began}"
    return Notice(
        event=_EVENT_OF_TURN[turn],
        key=key,
        title=f"{_PREFIXES[turn]}{title}",
        time=now,
        kind=incident.kind.value,
        profile=incident.profile,
        config=incident.config,
        run=incident.run,
        state="recovered" if turn is Turn.RECOVERY else "open",
        reason=tidy(reason, LONGEST_REASON),
        url=url,
    )


def tidy(text: str, longest: int = LONGEST_LINE) -> str:
    """Answer ``text`` without credentials, and not too long."""
    clean = Redactor().redact(text[: 4 * longest]).strip()
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"
