"""Headers of tar archives that come from elsewhere: what no archive can mean is refused."""

import tarfile
from typing import Self, TypeVar

Info = TypeVar("Info", bound=tarfile.TarInfo)


class PossibleInfo(tarfile.TarInfo):
    """A member whose size is none below zero: with one, tarfile reads the same header for ever.

    That is CVE-2025-8194, which not every Python 3.11 has mended. Give it to ``tarfile.open`` as ``tarinfo``;
    what is refused raises tarfile.ReadError.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read one block. Raises tarfile.HeaderError for what is no header, tarfile.ReadError."""
        return _possible(super().frombuf(buf, encoding, errors))

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        """Read the next header, with what extends it, which may name another size. Raises as ``frombuf``."""
        return _possible(super().fromtarfile(tarfile_))


def _possible(info: Info) -> Info:
    if info.size < 0:
        raise tarfile.ReadError("a member of it has a size below zero")
    return info
