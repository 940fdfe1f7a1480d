"""The manifest beside an archive or a tree: JSON Lines, written and read line by line.

The first line tells of the backup, then there is one for each member in the order of the walk, and the last
tells of the archive, so that a manifest without it is not complete. The text is ASCII; bytes in a path
that are not UTF-8 are lone surrogates there (``\\udcff``), which Python's JSON carries there and back.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from workflows_app.plugins.filesystem.kept import Kept
from workflows_app.plugins.filesystem.member_line import member_line
from workflows_app.plugins.filesystem.members import Member
from workflows_app.plugins.filesystem.output import OutputFile

FORMAT = "fossul-manifest/1"
MANIFEST_SUFFIX = ".manifest.jsonl"

_GATHER = 64 * 1024
_PIECE = 1024 * 1024
# The longest line that is looked for at the end.
_FOOTER_ROOM = 64 * 1024


class ManifestBroken(Exception):
    """A manifest is not complete or not one at all; the text says why."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: whose backup it is, and the real paths of its sources.

    ``exclude`` and ``one_file_system`` say what was left out of them. ``is_tree`` tells a tree from an
    archive; ``checked`` is where in it the next run's check of linked files begins (see ``rolling``).
    """

    name: str
    policy: str
    workflow_id: str
    epoch: int
    sources: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    one_file_system: bool = False
    is_tree: bool = False
    checked: int = 0


@dataclass(frozen=True, slots=True)
class Footer:
    """The last line: the archive's file name, size (bytes) and hash, and what it holds.

    ``files`` counts every member but directories, ``bytes`` is the content of the regular files. Of a tree,
    ``file`` is its folder, ``size`` is ``bytes``, and there is no hash: each file has its own. ``lines``
    is the SHA-256 of all lines before this one; empty in the manifests of earlier versions.
    """

    file: str
    size: int
    sha256: str
    files: int
    bytes: int
    lines: str = ""


_NOTHING = Kept()


class ManifestWriter:
    """A manifest in the making. Raises PluginFailed when ``output`` cannot be written."""

    def __init__(self, output: OutputFile, header: Header) -> None:
        self._output = output
        self._hash = hashlib.sha256()
        self._gathered = bytearray()
        backup = {
            "name": header.name,
            "policy": header.policy,
            "workflowId": header.workflow_id,
            "epoch": header.epoch,
        }
        first = {"format": FORMAT, "backup": backup, "sources": header.sources}
        if header.exclude or header.one_file_system:
            first["selection"] = {"exclude": header.exclude, "oneFileSystem": header.one_file_system}
        if header.is_tree:
            first["tree"] = {"checked": header.checked}
        self._line(_compact(first))

    def add(self, member: Member, kept: Kept | None = None) -> None:
        """Write the line of a member; ``kept`` is for a file of a tree."""
        self._line(member_line(member, kept))

    def finish(self, footer: Footer) -> None:
        """Write the last line, with the hash of those before it; ``output`` then has all of it."""
        self.flush()
        archive = {"file": footer.file, "size": footer.size, "sha256": footer.sha256}
        told = {"archive": archive, "files": footer.files, "bytes": footer.bytes}
        self._line(_compact(told | {"lines": self._hash.hexdigest()}))
        self.flush()

    def flush(self) -> None:
        """Let ``output`` have all lines so far, for whoever reads them should the work end here."""
        self._hash.update(self._gathered)
        self._output.write(self._gathered)
        self._gathered.clear()

    def _line(self, line: bytes) -> None:
        self._gathered += line
        if len(self._gathered) >= _GATHER:
            self.flush()


class ManifestReader:
    """Reads a manifest from its first line to its last. Raises ManifestBroken, or OSError.

    ``header`` is known at once, ``footer`` when ``members`` has come to its end.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.header = _header(file.readline())
        self.footer: Footer | None = None

    def members(self) -> Iterator[Member]:
        """Yield the members in the order of the walk."""
        return (member for member, _ in self.entries())

    def entries(self) -> Iterator[tuple[Member, Kept]]:
        """Yield the members, and what the manifest of a tree says beside them."""
        for line in self._file:
            value = _object(line)
            if "archive" in value:
                self.footer = _footer(value)
                if self._file.read(1):
                    raise ManifestBroken("there is more after its last line")
                return
            try:
                kept = Kept(**value.pop("kept")) if "kept" in value else _NOTHING
                yield Member(**value), kept
            except TypeError:
                raise ManifestBroken("a line tells of no member") from None
        raise ManifestBroken("its last line is missing")


def read_ends(path: Path) -> tuple[Header, Footer]:
    """The first and the last line of a manifest, without what is between.

    Raises ManifestBroken when either is none, and OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        header = _header(file.readline(_FOOTER_ROOM * 16))
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _FOOTER_ROOM))
        tail = file.read()
    if not tail.endswith(b"\n"):
        raise ManifestBroken("its last line is missing")
    return header, _footer(_object(tail.splitlines()[-1]))


def read_lines(path: Path, advance: Callable[[], None]) -> Footer:
    """The last line of a manifest, whose other lines are those that were written.

    ``advance`` is called for each MiB. Raises ManifestBroken when they are not, and OSError.
    """
    _, footer = read_ends(path)
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        rest = _last_line(file)
        file.seek(0)
        while piece := file.read(min(rest, _PIECE)):
            digest.update(piece)
            rest -= len(piece)
            advance()
    if digest.hexdigest() != footer.lines:
        raise ManifestBroken("its lines are not those that were written")
    return footer


def _last_line(file: BinaryIO) -> int:
    """Where the last line begins, in bytes."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _FOOTER_ROOM))
    tail = file.read(_FOOTER_ROOM)
    return size - len(tail) + tail.rstrip(b"\n").rfind(b"\n") + 1


def _compact(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line.decode())
    except ValueError:
        raise ManifestBroken("a line is not JSON") from None
    if not isinstance(value, dict):
        raise ManifestBroken("a line is no JSON object")
    return value


def _header(line: bytes) -> Header:
    value = _object(line)
    if value.get("format") != FORMAT:
        raise ManifestBroken(f"its first line does not say {FORMAT!r}")
    try:
        backup, selection = value["backup"], value.get("selection", {})
        return Header(
            name=backup["name"],
            policy=backup["policy"],
            workflow_id=backup["workflowId"],
            epoch=backup["epoch"],
            sources=tuple(value["sources"]),
            exclude=tuple(selection.get("exclude", ())),
            one_file_system=bool(selection.get("oneFileSystem", False)),
            is_tree="tree" in value,
            checked=int(value.get("tree", {}).get("checked", 0)),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ManifestBroken("its first line does not tell of a backup") from None


def _footer(value: Mapping[str, Any]) -> Footer:
    try:
        archive = value["archive"]
        return Footer(
            archive["file"],
            archive["size"],
            archive["sha256"],
            value["files"],
            value["bytes"],
            value.get("lines", ""),
        )
    except (KeyError, TypeError):
        raise ManifestBroken("its last line does not tell of an archive") from None
