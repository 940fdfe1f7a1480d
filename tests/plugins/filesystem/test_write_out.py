"""What is written goes to the disk in batches, in a thread of its own."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from workflows_app.plugins.filesystem.write_out import BATCH, WriteOut


@pytest.fixture
def write_out() -> Iterator[WriteOut]:
    with closing(WriteOut()) as write_out:
        yield write_out


@pytest.fixture
def pipe() -> Iterator[int]:
    """A descriptor that no disk can have."""
    reading, writing = os.pipe()
    yield writing
    os.close(reading)
    os.close(writing)


def test_what_the_disk_refused_is_told_with_the_next_batch(write_out: WriteOut, pipe: int) -> None:
    write_out.wrote(pipe, BATCH)
    end = time.monotonic() + 20
    with pytest.raises(OSError, match="Invalid argument"):
        while time.monotonic() < end:
            write_out.wrote(pipe, BATCH)


def test_a_file_may_be_closed_as_soon_as_it_is_written(write_out: WriteOut, tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb", buffering=0) as file:
        file.write(b"content")
        write_out.wrote(file.fileno(), BATCH)
    assert write_out.under_way is not None
    write_out.under_way.result(20)


def test_less_than_a_batch_is_not_sent_off(write_out: WriteOut, pipe: int) -> None:
    write_out.wrote(pipe, BATCH // 2)
    write_out.wrote(pipe, BATCH // 2 - 1)
    write_out.close()
    assert write_out.under_way is None
