"""Servers that run on a copy of another one's data."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.plugins.postgres.cluster import Cluster, free_port


@contextmanager
def started(data: Path, place: Path) -> Iterator[Cluster]:
    """A server of its own on a copy of a copy."""
    place.mkdir()
    other = Cluster(place, free_port())
    other.give(place)
    shutil.copytree(data, other.data, symlinks=True)
    other.data.chmod(0o700)
    other.give(other.data)
    other.start()
    try:
        yield other
    finally:
        other.stop()
