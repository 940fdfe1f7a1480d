"""What is in a snapshot, as ``restic ls`` tells of it: one node at a time, however many there are."""

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.restic.program import Document, Restic
from workflows_app.plugins.restic.snapshots import Snapshot

_PERMISSIONS = 0o777
# Where Go's os.FileMode has what Unix has in other places.
_SPECIAL = ((1 << 23, 0o4000), (1 << 22, 0o2000), (1 << 20, 0o1000))
_TYPES = {"dir": "directory", "dev": "block", "chardev": "character"}


@dataclass(frozen=True, slots=True)
class Node:
    """One thing in a snapshot. ``size`` in bytes, ``mtime_ns`` since 1970, ``mode`` the permission bits.

    A name that is not UTF-8 comes from restic with other characters in place of its bytes.
    """

    path: str
    type: str
    size: int
    mtime_ns: int
    mode: int
    uid: int
    gid: int


def list_nodes(
    restic: Restic,
    snapshot: Snapshot,
    folders: Sequence[str],
    take: Callable[[Node], None],
    *,
    below: bool = False,
) -> None:
    """Give ``take`` each node that is a folder of ``folders`` or directly in one, or with ``below`` in them.

    Without ``folders`` the whole snapshot, with the folders above its sources. Raises PluginFailed.
    """
    recursive = ["--recursive"] if below and folders else []

    def hear(told: Document) -> None:
        if told.get("struct_type", told.get("message_type")) == "node":
            take(_node(told))

    restic.run("--json", "ls", *recursive, snapshot.id, *folders, hear=hear)


def is_in(path: str, sources: Sequence[str]) -> bool:
    """Whether an absolute path is at or below one of ``sources``."""
    return any(path == source or path.startswith(f"{source.rstrip('/')}/") for source in sources)


def parents(paths: Sequence[str]) -> tuple[str, ...]:
    """The folders that ``paths`` are in, each once."""
    return tuple(dict.fromkeys(posixpath.dirname(path) for path in paths))


def _node(told: Document) -> Node:
    try:
        mode = int(told.get("mode", 0))
        return Node(
            path=str(told["path"]),
            type=_TYPES.get(told["type"], str(told["type"])),
            size=int(told.get("size", 0)),
            mtime_ns=_nanoseconds(str(told.get("mtime", ""))),
            mode=mode & _PERMISSIONS | sum(unix for go, unix in _SPECIAL if mode & go),
            uid=int(told.get("uid", 0)),
            gid=int(told.get("gid", 0)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PluginFailed(f"restic tells of its files in an unknown form ({error!r})") from None


def _nanoseconds(text: str) -> int:
    """A time as Go writes it, with up to nine decimals, of which Python reads six."""
    if not text:
        return 0
    seconds, point, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if point else ""
    zone = rest[len(digits) :] if point else ""
    whole = datetime.fromisoformat(seconds + zone)
    return int(whole.timestamp()) * 1_000_000_000 + int(digits.ljust(9, "0") or 0)
