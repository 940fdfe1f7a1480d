"""The process that sends one notice by Apprise, and ends with it.

Apprise and the libraries below it limit each read, and neither the whole nor the size of an answer. A process
can be limited: the kernel ends this one when its time is over, whether its parent still lives or not.
"""

import json
import logging
import resource
import signal
import sys
from contextlib import suppress

import apprise
from apprise import NotifyType, OverflowMode

from workflows_app.services.notices.apprise_services import service_of

MOST_MEMORY = 2**29
LONGEST_WORDS = 2000


def main() -> None:
    """Read what to send as JSON: ``url``, ``title``, ``body``, ``type``, ``seconds``; print how that went."""
    given = json.load(sys.stdin)
    signal.alarm(given["seconds"])
    with suppress(ValueError, OSError):  # not every system lets itself be limited so
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    service = service_of(given["url"])
    if service.overflow_mode == OverflowMode.UPSTREAM:
        # What is longer than the service takes would be refused as a whole.
        service.overflow_mode = OverflowMode.SPLIT
    with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as captured:  # type: ignore[no-untyped-call]
        sent = service.notify(title=given["title"], body=given["body"], notify_type=NotifyType(given["type"]))
        said = " ".join(captured.getvalue().split())
    print(json.dumps({"sent": bool(sent), "said": said[:LONGEST_WORDS]}))


if __name__ == "__main__":
    main()
