"""How restic reaches a repository by SFTP: the ssh that it starts.

restic splits the text of that command itself, so no word in it may have a blank.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.plugins.values import whole_number

# Nothing that ssh, or the splitting, would take for more than one word.
_PATH = re.compile(r"/[A-Za-z0-9_./+@-]*")
_PLACE = re.compile(r"(?:([A-Za-z0-9_.-]+)@)?([A-Za-z0-9][A-Za-z0-9.-]*):(?:.+)")


def is_sftp_place(text: str) -> bool:
    """Whether it is ``user@host:/path`` or ``//user@host:port//path``, what may follow ``sftp:``."""
    return text.startswith("//") or bool(_PLACE.fullmatch(text))


def sftp_command(given: Mapping[str, str], repository: str) -> str:
    """The ssh that restic is to start for an sftp repository. Raises ConfigInvalid by a parameter's name."""
    port = whole_number("SftpPort", given.get("SftpPort", ""), 22, 65535)
    user, host = _login(repository)
    words = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-p", str(port)]
    if key := given.get("SftpKeyFile", "").strip():
        words += ["-i", plain_file("SftpKeyFile", key), "-o", "IdentitiesOnly=yes"]
    if known := given.get("SftpKnownHosts", "").strip():
        words += ["-o", f"UserKnownHostsFile={plain_file('SftpKnownHosts', known)}"]
    if user:
        words += ["-l", user]
    return " ".join([*words, host, "-s", "sftp"])


def _login(repository: str) -> tuple[str, str]:
    """The user (empty for none) and the host of an sftp repository."""
    rest = repository.removeprefix("sftp:")
    if rest.startswith("//"):
        parts = urlsplit(f"sftp:{rest}")
        user, host = parts.username or "", parts.hostname or ""
    else:
        match = _PLACE.fullmatch(rest)
        assert match is not None  # noqa: S101 - it was read as a repository
        user, host = match[1] or "", match[2]
    if not re.fullmatch(r"[A-Za-z0-9_.-]*", user) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*", host):
        raise ConfigInvalid("Repository", f"{repository!r} names no host that ssh could be asked for")
    return user, host


def plain_file(field: str, text: str) -> str:
    """An absolute path without blanks or anything that a shell would mind. Raises ConfigInvalid."""
    if not _PATH.fullmatch(text):
        raise ConfigInvalid(
            field, f"{text!r} is not an absolute path of letters, digits and '_ . / + @ -' alone"
        )
    return text
