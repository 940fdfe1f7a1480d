"""Tries a folder that a run will write to: it is there or can be made, it can be written, it has room."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

from workflows_app.domain.findings import Finding, bad, doubtful, good
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.wording import reason_of, shown

FULL = 0.95
"""How much of a disk may be taken before a test warns."""


def check_folder(parameter: str, path: Path, needs: int = 0, what: str = "") -> Iterator[Finding]:
    """Answer whether the worker can write to ``path``, and how full its disk is.

    A folder that is missing is made by a run; then the nearest one above is tried. ``needs`` are the bytes
    that a run will want, 0 for not known, ``what`` says of what. The file that is written has no name and
    is gone at once.
    """
    place = _nearest(path)
    if not place.is_dir():
        yield bad(f"{shown(str(place))} is no folder", parameter)
        return
    try:
        with TemporaryFile(dir=place) as probe:
            probe.write(b"fossul")
            probe.flush()
    except OSError as error:
        yield bad(
            f"{shown(str(place))} cannot be written: {reason_of(error)}. The worker's user "
            f"(uid {os.geteuid()}) must be able to",
            parameter,
        )
        return
    if place == path:
        yield good(f"{shown(str(path))} can be written", parameter)
    else:
        yield doubtful(
            f"{shown(str(path))} does not exist; a run makes it in {shown(str(place))}, which can be "
            "written. Check that its disk is mounted",
            parameter,
        )
    yield _room(parameter, place, needs, what)


def _room(parameter: str, place: Path, needs: int, what: str) -> Finding:
    disk = shutil.disk_usage(place)
    taken = 1 - disk.free / disk.total if disk.total else 1.0
    free, total = size_words(disk.free), size_words(disk.total)
    words = f"{free} of {total} are free at {shown(str(place))} ({taken:.0%} full)"
    if needs > disk.free:
        return doubtful(f"{words}, and {what} has {size_words(needs)}: make room", parameter)
    if taken > FULL:
        return doubtful(f"{words}: make room", parameter)
    return good(words, parameter)


def _nearest(path: Path) -> Path:
    """``path``, or the nearest above it that exists. Links are followed before ``..`` is."""
    place = Path(os.path.realpath(path))
    if place.exists():
        return path
    while not os.path.lexists(place):
        place = place.parent
    return place
