import tarfile

import pytest

from workflows_app.plugins.filesystem.members import Member, tar_header
from workflows_app.plugins.filesystem.sparse import segment_map

GiB = 1024**3


def member(size: int, path: str = "folder/disk.img") -> Member:
    return Member(path, "file", size, None, 0o640, 0, 0, "root", "root", 1_500_000_000, "")


def test_a_map_fills_whole_blocks() -> None:
    assert segment_map([(0, 5), (100, 0)]) == b"2\n0\n5\n100\n0\n".ljust(512, b"\0")
    assert len(segment_map([(10**9, 10**9)] * 100)) % 512 == 0


@pytest.mark.parametrize("path", ["disk.img", "folder/disk.img", "é/disk-\udcff", "n" * 300])
def test_a_file_with_holes_has_its_own_name(path: str) -> None:
    header = tar_header(member(10**6, path), segments=[(0, 512), (10**6, 0)])
    info = tarfile.TarInfo.frombuf(header[-1024:-512], "utf-8", "surrogateescape")
    assert info.name.startswith(path.rpartition("/")[0][:80].replace("é", "?"))
    assert info.size == 1024


def test_more_data_than_the_classic_header_can_count_stands_in_the_header() -> None:
    """In an extended header, Python's tarfile would lose its way."""
    header = tar_header(member(100 * GiB), segments=[(GiB, 9 * GiB), (100 * GiB, 0)])
    info = tarfile.TarInfo.frombuf(header[-1024:-512], "utf-8", "surrogateescape")
    assert info.size == 9 * GiB + 512
    assert b" size=" not in header
