"""The record of an archive: what was written comes back, and nothing else is believed."""

import io
import json
from pathlib import Path

import pytest

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.archiving.record import RecordEntry, RecordWriter, read_record
from workflows_app.plugins.archiving.source import Source
from workflows_app.plugins.archiving.sums import Sums

NAME = "shop-daily-7-1700000007"
SUMS = Sums(5, "ab" * 32)


def written() -> bytes:
    file = io.BytesIO()
    record = RecordWriter(file, Source(NAME, "daily", "7", 1_700_000_007, Path("/x"), {}))
    record.add_folder("a")
    record.add_file("a/b\udcff", SUMS)
    record.finish()
    return file.getvalue()


def read(text: bytes) -> list[RecordEntry]:
    return list(read_record(io.BytesIO(text), NAME))


def test_what_was_written_comes_back() -> None:
    assert read(written()) == [RecordEntry("a", None), RecordEntry("a/b\udcff", SUMS)]


def line(**changes: object) -> bytes:
    return json.dumps({"path": "b", "type": "file", "size": 5, "sha256": "x", **changes}).encode() + b"\n"


HEADER, FOLDER, FILE, FOOTER = written().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"[]\n", "no JSON object"),
        (HEADER.replace(b"shop-", b"web-") + FOOTER, "first line"),
        (HEADER + FOLDER + FILE, "last line is missing"),
        (HEADER + FOLDER + FOOTER, "does not agree"),
        (HEADER + FOLDER + FILE + FOOTER + FILE, "more after its last line"),
        (HEADER + line(path="../b"), "no path in an archive"),
        (HEADER + line(path="/etc/passwd"), "no path in an archive"),
        (HEADER + line(path="a//b"), "no path in an archive"),
        (HEADER + line(path="a\0b"), "no path in an archive"),
        (HEADER + line(path=7), "no path in an archive"),
        (HEADER + line(type="link"), "neither a file nor a folder"),
        (HEADER + line(size=-1), "neither a file nor a folder"),
        (HEADER + line(size=True), "neither a file nor a folder"),
        (HEADER + line(sha256=None), "neither a file nor a folder"),
    ],
)
def test_a_record_that_is_none_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(PluginFailed, match=f"The record of archive {NAME} cannot be used: .*{why}"):
        read(text)
