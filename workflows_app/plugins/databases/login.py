"""What reaches and opens a server, whatever database it has: hosts, addresses and passwords."""

import re

from workflows_app.domain.errors import ConfigInvalid

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", re.ASCII)
_HOST_BYTES = 253


def is_host(text: str) -> bool:
    """Whether a text is one host's name or address."""
    return len(text) <= _HOST_BYTES and _HOST.fullmatch(text) is not None


def address(host: str, port: int) -> str:
    """A host and a port as they are written: ``db.example.org:5432``, ``[::1]:5432``."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def password(field: str, text: str) -> str:
    """A password of one line, which an environment can hold. Raises ConfigInvalid."""
    if "\0" in text or "\n" in text:
        raise ConfigInvalid(field, "has a line break or a NUL character, which no password may")
    return text
