"""What the messages of an exec say: a channel's number, then its bytes.

The protocol is v4.channel.k8s.io, and v5, which adds that the client can end a channel (Kubernetes 1.29 and
later): https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets
"""

import json
from dataclasses import dataclass
from enum import IntEnum

HALF_CLOSING = "v5.channel.k8s.io"
"""The protocol in which standard input can be ended while the output is still read."""
PROTOCOLS = (HALF_CLOSING, "v4.channel.k8s.io")
"""What is offered to the cluster, the best first."""


class Channel(IntEnum):
    """The channels of an exec."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    STATUS = 3


END_OF_INPUT = bytes((255, Channel.STDIN))
"""The message of v5 that ends standard input."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process in a pod ended: ``code`` is its exit code, None where it never started.

    ``reason`` is empty for success; else it is what Kubernetes' own client says, for a log line.
    """

    code: int | None = 0
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ended with exit code 0."""
        return self.code == 0


def ended_by(status: bytes) -> Ended:
    """How the process ended, by the message of the status channel."""
    try:
        told = json.loads(status)
    except ValueError:
        return Ended(None, f"the cluster says {status[:200].decode(errors='replace')!r}")
    if not isinstance(told, dict):
        return Ended(None, "the cluster does not say how the command ended")
    if told.get("status") == "Success":
        return Ended()
    for cause in (told.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode" and str(cause.get("message", "")).isdecimal():
            # As Kubernetes' Go client says it, and so Fossul (fossul-behaviour.md §6).
            return Ended(int(cause["message"]), f"command terminated with exit code {cause['message']}")
    return Ended(None, " ".join(str(told.get("message") or "the command could not be run").split()))
