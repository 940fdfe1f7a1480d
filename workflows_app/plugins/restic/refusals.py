"""Why restic failed, in our words: what happened, to what, and what to do next."""

import re

from workflows_app.plugins.restic.parameters import Parameters

_LOCKED_BY = re.compile(r"already locked (?:exclusively )?by (.+?)(?:\n|$)", re.DOTALL)
_LOCKED_SINCE = re.compile(r"lock was created at (.+?)(?: \(|\n|$)")
_NO_REPOSITORY = (
    "unable to open config file",
    "repository does not exist",
    "Is there a repository at the following location",
)
_WRONG_PASSWORD = ("wrong password or no key found",)
_UNREACHABLE = (
    "connection refused",
    "no such host",
    "i/o timeout",
    "network is unreachable",
    "connection reset",
    "EOF",
    "Host key verification failed",
    "Could not resolve hostname",
    "Connection timed out",
)
_DENIED = ("Access Denied", "AccessDenied", "permission denied", "Permission denied", "InvalidAccessKeyId",
           "SignatureDoesNotMatch")  # fmt: skip
_FULL = ("no space left on device", "disk quota exceeded")
# A line of a stack of Go's, which follows some errors.
_FRAME = re.compile(r"[\w.-]+(?:/[\w.@-]+)*\.[\w.()*]+(?::[0-9]+)?")
# restic says so much before it comes to what matters.
_LONGEST = 600


def is_locked(said: str) -> bool:
    """Whether restic says that another one has locked the repository."""
    return "already locked" in said


def is_missing(said: str) -> bool:
    """Whether restic says that there is no repository."""
    return any(words in said for words in _NO_REPOSITORY)


def refusal(said: str, reason: str, parameters: Parameters) -> str:
    """The words for a command that ended with ``reason`` after it had ``said`` these lines."""
    where = f"the repository {parameters.repository}"
    told = _told(said)
    if is_locked(said):
        return f"{where} is locked by {_holder(said)}: wait until that restic has ended, then run it again"
    if any(words in said for words in _WRONG_PASSWORD):
        return f"Password is not that of {where}: restic could open none of its keys with it"
    if any(words in said for words in _FULL):
        return f"The disk of {where} is full: {told}. Make room, then run it again"
    if is_missing(said):
        return f"There is no repository at {parameters.repository}: check Repository ({told})"
    for words, what in ((_DENIED, "refuses"), (_UNREACHABLE, "cannot be reached")):
        if any(word in said for word in words):
            return f"{where[0].upper()}{where[1:]} {what}: {told}"
    return f"restic failed ({reason}): {told or 'it said nothing'}"


def _holder(said: str) -> str:
    by, since = _LOCKED_BY.search(said), _LOCKED_SINCE.search(said)
    holder = by[1].strip() if by else "another restic"
    return f"{holder} since {since[1]}" if since else holder


def _told(said: str) -> str:
    lines = [line.strip().removeprefix("Fatal: ") for line in said.splitlines()]
    text = "; ".join(dict.fromkeys(line for line in lines if line and not _FRAME.fullmatch(line)))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
