"""Files with holes: where their data is, and how a tar archive says so (GNU tar's PAX format 1.0).

The format: https://www.gnu.org/software/tar/manual/html_node/PAX-1.html
"""

import errno
import os
from collections.abc import Sequence

Segment = tuple[int, int]
"""Where data begins, and how long it is, in bytes."""

_BLOCK = 512


def data_segments(descriptor: int, status: os.stat_result) -> tuple[Segment, ...] | None:
    """Where an open file has data; None when it has no holes.

    A file that ends in a hole has an empty segment at its end, as GNU tar writes it.
    """
    size = status.st_size
    if status.st_blocks * 512 >= size:
        return None
    segments: list[Segment] = []
    position = 0
    try:
        while position < size:
            start = os.lseek(descriptor, position, os.SEEK_DATA)
            if start >= size:
                break
            position = min(os.lseek(descriptor, start, os.SEEK_HOLE), size)
            segments.append((start, position - start))
    except OSError as error:
        if error.errno == errno.EINVAL:  # this filesystem cannot tell
            return None
        if error.errno != errno.ENXIO:  # ENXIO: no data from here on
            raise
    if segments == [(0, size)]:
        return None
    if not segments or sum(segments[-1]) < size:
        segments.append((size, 0))
    return tuple(segments)


def segment_map(segments: Sequence[Segment]) -> bytes:
    """The map that stands before the data: decimal numbers, filled up to whole blocks of 512 bytes."""
    lines = [str(len(segments)), *(str(number) for segment in segments for number in segment)]
    text = "\n".join(lines).encode() + b"\n"
    return text + bytes(-len(text) % _BLOCK)


def pax_fields(path: str, size: int) -> dict[str, str]:
    """The extended header fields of a file with holes, by its path in the archive and its whole size."""
    return {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": path,
        "GNU.sparse.realsize": str(size),
    }
