"""An archive is read back from the disk while it is written."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import zstandard

from tests.plugins.filesystem.trees import MiB
from workflows_app.plugins.filesystem.damage import VerificationFailed
from workflows_app.plugins.filesystem.manifest import Footer
from workflows_app.plugins.filesystem.read_back import BATCH, ReadBack


@pytest.fixture(scope="module")
def packed() -> bytes:
    """Somewhat more than two batches, packed as an archive is."""
    noise = os.urandom(MiB) * (2 * BATCH // MiB + 1)
    # Without a window, nothing is found twice.
    parameters = zstandard.ZstdCompressionParameters(window_log=10, write_checksum=True)
    return zstandard.ZstdCompressor(compression_params=parameters).compress(noise)


@pytest.fixture
def back(tmp_path: Path) -> Iterator[ReadBack]:
    with closing(ReadBack(tmp_path / "archive")) as back:
        yield back


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def footer(packed: bytes) -> Footer:
    return Footer("archive", len(packed), hashlib.sha256(packed).hexdigest(), 1, len(packed))


def wait_for(back: ReadBack, size: int) -> None:
    end = time.monotonic() + 20
    while back.read < size:
        assert time.monotonic() < end, f"{back.read} bytes were read"
        time.sleep(0.001)


def test_whole_batches_are_read_while_the_rest_is_to_come(
    back: ReadBack, archive: Path, packed: bytes
) -> None:
    advanced: list[int] = []
    with archive.open("wb", buffering=0) as file:
        file.write(packed[: BATCH + 5])
        back.grow(BATCH + 5)
        wait_for(back, BATCH)
        file.write(packed[BATCH + 5 :])
        back.grow(len(packed))
        back.finish(len(packed), lambda size, files=0: advanced.append(size)).compare(
            "archive", footer(packed)
        )
    assert sum(advanced) == len(packed)


def test_another_byte_on_the_disk_is_found(back: ReadBack, archive: Path, packed: bytes) -> None:
    damaged = bytearray(packed)
    damaged[BATCH + 1000] ^= 1
    archive.write_bytes(damaged)
    with pytest.raises((zstandard.ZstdError, VerificationFailed)):
        back.finish(len(packed), lambda size, files=0: None).compare("archive", footer(packed))


def test_what_is_no_archive_ends_the_writing(back: ReadBack, archive: Path, packed: bytes) -> None:
    archive.write_bytes(bytes(len(packed)))
    end = time.monotonic() + 20
    with pytest.raises(zstandard.ZstdError):
        while time.monotonic() < end:
            back.grow(len(packed))


@pytest.mark.parametrize("kept", [0, BATCH - 1, BATCH, -1])
def test_an_archive_that_ends_too_soon_is_found(
    back: ReadBack, archive: Path, packed: bytes, kept: int
) -> None:
    archive.write_bytes(packed[:kept])
    with pytest.raises(VerificationFailed):
        back.finish(len(packed), lambda size, files=0: None).compare("archive", footer(packed))


def test_who_waits_can_end_it(back: ReadBack, archive: Path, packed: bytes) -> None:
    archive.write_bytes(packed)

    def stop(size: int, files: int = 0) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back.finish(len(packed), stop)


def test_an_archive_that_was_never_written_is_let_go(archive: Path) -> None:
    ReadBack(archive).close()
