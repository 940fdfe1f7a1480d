"""The record of an archive: JSON Lines that tell of each file, written when all of them are stored.

An archive exists if and only if its record does. The first line tells of the backup, then there is one for
each folder and file, and the last says how much there is. The text is ASCII, as the manifest's.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.archiving.names import is_inner_path
from workflows_app.plugins.archiving.source import Source
from workflows_app.plugins.archiving.sums import Sums
from workflows_app.plugins.wording import shown

FORMAT = "fossul-archive/1"


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """A folder or file of an archive; ``sums`` is None for a folder."""

    path: str
    sums: Sums | None


class RecordWriter:
    """A record in the making. ``files`` and ``bytes`` count what was added so far."""

    def __init__(self, file: BinaryIO, source: Source) -> None:
        self._file = file
        self.files = 0
        self.bytes = 0
        backup = {
            "name": source.name,
            "policy": source.policy,
            "workflowId": source.workflow_id,
            "epoch": source.epoch,
        }
        self._line({"format": FORMAT, "backup": backup})

    def add_folder(self, path: str) -> None:
        """Write the line of a folder."""
        self._line({"path": path, "type": "folder"})

    def add_file(self, path: str, sums: Sums) -> None:
        """Write the line of a file."""
        self.files += 1
        self.bytes += sums.size
        self._line({"path": path, "type": "file", "size": sums.size, "sha256": sums.sha256})

    def finish(self) -> None:
        """Write the last line, and go back to the first."""
        self._line({"files": self.files, "bytes": self.bytes})
        self._file.flush()
        self._file.seek(0)

    def _line(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value, separators=(",", ":")).encode() + b"\n")


def read_record(file: BinaryIO, name: str) -> Iterator[RecordEntry]:
    """Yield the entries of the record of archive ``name``, from its first line to its last.

    Raises PluginFailed when it is not complete, tells of another archive, or of a path that leads out of it.
    """
    header = _object(name, file.readline())
    backup = header.get("backup")
    if header.get("format") != FORMAT or not isinstance(backup, dict) or backup.get("name") != name:
        raise _broken(name, f"its first line does not say {FORMAT!r} of this archive")
    files = size = 0
    for line in file:
        value = _object(name, line)
        if "files" in value:
            if (value.get("files"), value.get("bytes")) != (files, size):
                raise _broken(name, "its last line does not agree with the others")
            if file.read(1):
                raise _broken(name, "there is more after its last line")
            return
        entry = _entry(name, value)
        if entry.sums is not None:
            files += 1
            size += entry.sums.size
        yield entry
    raise _broken(name, "its last line is missing")


def _entry(name: str, value: dict[str, Any]) -> RecordEntry:
    path, kind = value.get("path"), value.get("type")
    if not isinstance(path, str) or not is_inner_path(path):
        raise _broken(name, f"{path!r} is no path in an archive")
    if kind == "folder":
        return RecordEntry(path, None)
    size, sha256 = value.get("size"), value.get("sha256")
    if kind != "file" or type(size) is not int or size < 0 or not isinstance(sha256, str):
        raise _broken(name, "a line tells of neither a file nor a folder")
    return RecordEntry(path, Sums(size, sha256))


def _object(name: str, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        raise _broken(name, "a line is not JSON") from None
    if not isinstance(value, dict):
        raise _broken(name, "a line is no JSON object")
    return value


def _broken(name: str, why: str) -> PluginFailed:
    return PluginFailed(f"The record of archive {shown(name)} cannot be used: {why}. Choose another archive")
