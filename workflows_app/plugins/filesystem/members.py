"""A member of an archive: what the manifest says of it, and how a tar header says the same."""

import grp
import os
import pwd
import stat
import tarfile
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from workflows_app.plugins.filesystem.sparse import Segment, pax_fields, segment_map
from workflows_app.plugins.filesystem.ustar import ordinary_header

FILE = "file"
HARD_LINK = "hardlink"

_TAR_TYPES = {
    FILE: tarfile.REGTYPE,
    HARD_LINK: tarfile.LNKTYPE,
    "symlink": tarfile.SYMTYPE,
    "directory": tarfile.DIRTYPE,
    "fifo": tarfile.FIFOTYPE,
    "character": tarfile.CHRTYPE,
    "block": tarfile.BLKTYPE,
}
_TYPES = {tar_type: name for name, tar_type in _TAR_TYPES.items()}
_KINDS = {
    stat.S_IFREG: FILE,
    stat.S_IFLNK: "symlink",
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "character",
    stat.S_IFBLK: "block",
}
# The largest size that the classic header has digits for.
_CLASSIC_SIZE = 8**11
_SECOND = 1_000_000_000


class Member(NamedTuple):
    """One member of the archive.

    ``path`` is its name there: the absolute path without the leading ``/``. ``size`` (bytes, holes
    included) and ``sha256`` (hexadecimal) are of the content, so only a ``file`` has them. ``mode`` is the
    permission bits, ``link`` the target of a symbolic link as it stands there, or the ``path`` of the
    member that a hard link is the same file as.

    There are as many as files: a tuple is made in half the time of a dataclass.
    """

    path: str
    type: str
    size: int
    sha256: str | None
    mode: int
    uid: int
    gid: int
    uname: str
    gname: str
    mtime_ns: int
    link: str

    @classmethod
    def of_status(
        cls, path: str, status: os.stat_result, *, link: str = "", hard_link: bool = False
    ) -> "Member":
        """The member for what is at the absolute ``path``, not hashed yet."""
        kind = HARD_LINK if hard_link else _KINDS[stat.S_IFMT(status.st_mode)]
        return cls(
            path=archived_path(path),
            type=kind,
            size=status.st_size if kind == FILE else 0,
            sha256=None,
            mode=stat.S_IMODE(status.st_mode),
            uid=status.st_uid,
            gid=status.st_gid,
            uname=_user_name(status.st_uid),
            gname=_group_name(status.st_gid),
            mtime_ns=status.st_mtime_ns,
            link=link,
        )

    @classmethod
    def of_tar(cls, info: tarfile.TarInfo, sha256: str | None) -> "Member":
        """The member that a tar header tells of."""
        kind = _TYPES.get(info.type, f"type {info.type!r}")
        return cls(
            path=info.name,
            type=kind,
            size=info.size if kind == FILE else 0,
            sha256=sha256,
            mode=info.mode,
            uid=info.uid,
            gid=info.gid,
            uname=info.uname,
            gname=info.gname,
            mtime_ns=int(Decimal(info.pax_headers.get("mtime", int(info.mtime))) * _SECOND),
            link=info.linkname,
        )


def archived_path(path: str) -> str:
    """The name in the archive of what is at an absolute path, as GNU tar names it."""
    return path.lstrip("/")


def tar_header(member: Member, device: int = 0, segments: Sequence[Segment] | None = None) -> bytes:
    """All that stands in the archive before the member's data.

    ``device`` is the number of a device node. ``segments`` says where a file with holes has its data; the
    map of them is part of the answer.
    """
    kind = _TAR_TYPES[member.type]
    if segments is None and not device:
        quick = ordinary_header(
            member.path,
            kind,
            size=member.size,
            mode=member.mode,
            uid=member.uid,
            gid=member.gid,
            uname=member.uname,
            gname=member.gname,
            mtime_ns=member.mtime_ns,
            link=member.link,
        )
        if quick is not None:
            return quick
    info = tarfile.TarInfo(member.path)
    info.type = kind
    info.size = member.size
    info.mode = member.mode
    info.uid, info.gid = member.uid, member.gid
    info.uname, info.gname = member.uname, member.gname
    info.linkname = member.link
    info.devmajor, info.devminor = os.major(device), os.minor(device)
    seconds, fraction = divmod(member.mtime_ns, _SECOND)
    info.mtime = max(seconds, 0)
    extended = {"mtime": _decimal(member.mtime_ns)} if fraction or seconds < 0 else {}
    info.pax_headers = extended
    if segments is None:
        return _encode(info)
    leading = segment_map(segments)
    # Under this name a tar that does not know holes unpacks the map and the data; GNU tar has it so, too.
    folder, _, name = member.path.rpartition("/")
    info.name = f"{folder}/GNUSparseFile.0/{name}" if folder else f"GNUSparseFile.0/{name}"
    # Python's tarfile takes the last name of the two, so the real one must follow.
    extended |= {"path": info.name, **pax_fields(member.path, member.size)}
    stored = len(leading) + sum(length for _, length in segments)
    info.size = stored if stored < _CLASSIC_SIZE else 0
    header = _encode(info)
    return (header if stored < _CLASSIC_SIZE else _with_size(header, stored)) + leading


def _encode(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _with_size(header: bytes, size: int) -> bytes:
    """The header with its size in GNU's binary form.

    Python's tarfile loses its way after a file with holes that has an extended ``size``.
    """
    block = bytearray(header[-512:])
    block[124:136] = b"\x80" + size.to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return header[:-512] + bytes(block)


def _decimal(nanoseconds: int) -> str:
    """Seconds with nine decimals."""
    seconds, fraction = divmod(abs(nanoseconds), _SECOND)
    return f"{'-' if nanoseconds < 0 else ''}{seconds}.{fraction:09d}"


@lru_cache(maxsize=4096)
def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@lru_cache(maxsize=4096)
def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return ""
