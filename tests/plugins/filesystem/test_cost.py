"""What a backup costs: memory that does not grow, and no more reading than was allowed."""

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.trees import MiB
from workflows_app.plugins.filesystem.hard_links import HardLinks
from workflows_app.plugins.filesystem.throttle import Throttle


def peak_memory(root: Path, files: int, form: str) -> int:
    """The most memory that a backup of so many empty files took, in bytes.

    A large file fills all buffers last, on top of what is remembered of the others.
    """
    root.mkdir()
    storage = Storage(root)
    (storage.source / "~").write_bytes(bytes(8 * MiB))
    for number in range(files):
        if number % 100 == 0:
            (storage.source / str(number)).mkdir()
        (storage.source / str(number - number % 100) / str(number)).touch()
    if form == "tree":
        storage.backup(7, Format=form)  # there is something to link to
    tracemalloc.start()
    storage.backup(8, CompressionThreads="1", CompressionLevel="1", Format=form)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("form", ["archive", "tree"])
def test_memory_does_not_grow_with_the_number_of_files(tmp_path: Path, form: str) -> None:
    few = peak_memory(tmp_path / "few", 300, form)
    many = peak_memory(tmp_path / "many", 3000, form)
    # How many buffers are full at once differs by more than a MiB; a KiB for each file would be more still.
    assert many < few + 2 * MiB
    assert many < 32 * MiB


def test_hard_links_that_were_all_met_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    status = (tmp_path / "a").stat()
    links = HardLinks()
    assert links.first(status) is None
    links.meet("/a", status)
    assert links.first(status) == "/a"
    assert links.first(status) is None


class Clock:
    """A clock that goes on only when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_throttle_lets_through_what_was_allowed() -> None:
    clock = Clock()
    throttle = Throttle(1000, clock.read, clock.sleep)
    for _ in range(10):
        throttle.took(500, lambda: None)
    assert 4.99 < clock.now - 100 < 5.01


def test_the_throttle_does_not_make_up_for_idle_time() -> None:
    clock = Clock()
    throttle = Throttle(1000, clock.read, clock.sleep)
    throttle.took(1000, lambda: None)
    clock.sleep(60)
    before = clock.now
    throttle.took(2000, lambda: None)
    assert 1.99 < clock.now - before < 2.01


def test_a_throttled_wait_looks_whether_to_go_on() -> None:
    clock = Clock()
    looks: list[float] = []
    Throttle(10, clock.read, clock.sleep).took(10, lambda: looks.append(clock.now))
    assert len(looks) >= 10


def test_a_bandwidth_limit_holds(storage: Storage) -> None:
    (storage.source / "file").write_bytes(os.urandom(MiB))
    started = time.monotonic()
    storage.backup(BandwidthLimit="4M")
    assert time.monotonic() - started >= 0.25
