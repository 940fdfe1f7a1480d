"""Several incidents told in one message: when that is sent, and what it says."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from workflows_app.domain.notices.notices import Notice, NoticeEvent, Part, tidy

MOST_TOGETHER = 100
"""So many incidents stand in one message; the rest in the next."""
_NAMED = 3
_LONGEST_REASON = 200
_PREFIXES = {NoticeEvent.REMINDER: "Still so: ", NoticeEvent.RECOVERY: "Over: "}


def next_message(last: datetime | None, now: datetime, window: timedelta) -> datetime:
    """Answer when what is to be told ``now`` is sent, at once or together with others.

    ``last`` is when the last message of its kind was sent, or the next one will be; None for never. A message
    is sent at once if ``window`` has passed since the last one; else it waits for that, and what comes
    meanwhile goes with it.
    """
    if last is None or now - last >= window:
        return now
    # A clock that was set back must not silence anybody.
    return min(last if last > now else last + window, now + window)


def bundle_title(event: str, places: Sequence[str]) -> str:
    """What a message is called that tells of the incidents of ``places``, one name for each incident."""
    names = list(dict.fromkeys(places))
    shown, more = names[:_NAMED], len(names) - _NAMED
    if more > 0:
        named = f"{', '.join(shown)} and {more} more"
    else:
        named = " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)
    prefix = next((words for kind, words in _PREFIXES.items() if kind.value == event), "")
    return f"{prefix}{len(places)} incidents: {named}"


def bundle(notices: Sequence[Notice], key: str, url: str) -> Notice:
    """Answer one notice that tells what ``notices`` of one event tell; ``url`` is where all of them stand."""
    first = notices[0]
    return Notice(
        event=first.event,
        key=key,
        title=bundle_title(first.event.value, [f"{one.profile}/{one.config}" for one in notices]),
        time=max(one.time for one in notices),
        state=first.state,
        reason="They came at short intervals, so this is one message.",
        url=url,
        parts=tuple(
            Part(
                key=one.key,
                title=one.title,
                reason=tidy(" ".join(one.reason.split()), _LONGEST_REASON),
                url=one.url,
            )
            for one in notices
        ),
    )
