"""Configuration files in one file: unpacking what somebody uploads, safely, and packing what is downloaded.

Nothing is written to a disk: an archive becomes contents by path, in memory of a known bound.
"""

import gzip
import io
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.tar_headers import PossibleInfo
from workflows_app.services.configurations.config_folder import LARGEST_FILE

MOST_FILES = 2000
"""So many files may an upload have."""

LARGEST_UPLOAD = 4 * 2**20
"""The most bytes of an upload as it is sent."""

LARGEST_CONTENT = 8 * 2**20
"""The most bytes of all its files together."""

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")

# What a tar adds to its files: a header and padding each, and long names.
_LARGEST_TAR = LARGEST_CONTENT + MOST_FILES * 4096
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_TROUBLES = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, ValueError, RuntimeError)
# Of a configuration in a profile that is in one folder more: which.
_MAIN_FILE = re.compile(r"([^/]+/[^/]+)/([^/]+)/\2\.conf")
_DAMAGED = "it is damaged, or no such archive"


class _Contents:
    """Files by path, held against the bounds while they come in. ``name`` is of what they come from."""

    def __init__(self, name: str) -> None:
        self.files: dict[str, bytes] = {}
        self._name = name
        self._bytes = 0

    def take(self, path: str, content: bytes) -> None:
        """Add a file. Raises ConfigInvalid for a path that leads elsewhere or is taken, and for too much."""
        parts = path.split("/")
        odd = not path.isprintable() or "\\" in path or ":" in parts[0]
        if odd or not {"", ".", ".."}.isdisjoint(parts):
            raise ConfigInvalid(self._name, f"{path!a} in it is no path below its folder")
        if path in self.files:
            raise ConfigInvalid(self._name, f"{path!a} is in it twice")
        self._bytes += len(content)
        if self._bytes > LARGEST_CONTENT or len(self.files) >= MOST_FILES:
            raise ConfigInvalid(self._name, self.too_much)
        self.files[path] = content

    @property
    def too_much(self) -> str:
        """Why more is not taken."""
        return (
            f"it holds more than {MOST_FILES} files or {LARGEST_CONTENT // 2**20} MiB: upload fewer "
            "configurations at once, or use the command import_configs"
        )


def unpack(name: str, content: bytes) -> dict[str, bytes]:
    """Answer the files of an archive by path; of one that is too large so much that it is seen to be.

    ``name`` is the archive's, for its kind and for messages. Raises ConfigInvalid for one that is damaged,
    encrypted or too large, and for links, devices and paths that lead out of it.
    """
    contents = _Contents(name)
    try:
        if name.lower().endswith(".zip"):
            _unpack_zip(name, content, contents)
        elif name.lower().endswith(SUFFIXES):
            _unpack_tar(name, content, contents)
        else:
            raise ConfigInvalid(name, f"it is none of {', '.join(SUFFIXES)}")
    except _TROUBLES:
        raise ConfigInvalid(name, _DAMAGED) from None
    return _without_top(contents.files)


def gather(name: str, files: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Answer the files of a folder by path, as ``unpack`` does, and raise so. ``name`` is the folder's."""
    contents = _Contents(name)
    for path, content in files:
        if not _passed_over(path):
            contents.take(path, content)
    return _without_top(contents.files)


def pack(files: Mapping[str, bytes]) -> Iterator[bytes]:
    """Answer a ZIP archive of contents by path, piece by piece: always the same for the same files."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o600) << 16
            archive.writestr(entry, files[path])
            yield sink.drain()
    yield sink.drain()


class _Sink(io.RawIOBase):
    """A file to write to that gives away what was written."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # bytes-like is all that zipfile gives
        self._written += data
        return len(data)

    def drain(self) -> bytes:
        """Answer what was written since the last time."""
        written = bytes(self._written)
        self._written.clear()
        return written


def _unpack_zip(name: str, content: bytes, contents: _Contents) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            kind = stat.S_IFMT(entry.external_attr >> 16)
            # Not is_dir(), which fails where a damaged entry has no name.
            if entry.filename.endswith("/") or _passed_over(entry.filename):
                continue
            if kind not in (0, stat.S_IFREG):
                raise ConfigInvalid(name, f"{entry.filename!a} in it is a link, or no file")
            if entry.flag_bits & 1 or entry.compress_type not in _PACKINGS:
                raise ConfigInvalid(name, f"{entry.filename!a} in it is encrypted, or packed unusually")
            with archive.open(entry) as file:
                contents.take(entry.filename, file.read(LARGEST_FILE + 1))


def _unpack_tar(name: str, content: bytes, contents: _Contents) -> None:
    plain = content
    if not name.lower().endswith(".tar"):
        with gzip.open(io.BytesIO(content)) as unzipped:
            plain = unzipped.read(_LARGEST_TAR + 1)
    if len(plain) > _LARGEST_TAR:
        raise ConfigInvalid(name, contents.too_much)
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:", tarinfo=PossibleInfo) as archive:
        for entry in archive:
            path = entry.name.removeprefix("./")
            if entry.isdir() or _passed_over(path):
                continue
            file = archive.extractfile(entry) if entry.isreg() else None
            if file is None:
                raise ConfigInvalid(name, f"{path!a} in it is a link, or no file")
            contents.take(path, file.read(LARGEST_FILE + 1))


def _passed_over(path: str) -> bool:
    """Whether an import passes a path over whatever it is: hidden, or what macOS adds to archives."""
    return any(part.startswith(".") and part not in (".", "..") for part in path.split("/")) or (
        path.startswith("__MACOSX/")
    )


def _without_top(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files without a folder that holds all of them and is no profile, as archives of a folder have."""
    tops = {path.partition("/")[0] for path in files}
    # A profile's own file is one folder nearer to the top than its configurations'.
    below = {found[1] for path in files if (found := _MAIN_FILE.fullmatch(path))}
    own = {f"{profile}/{profile.rpartition('/')[2]}.conf" for profile in below}
    depths = {path.count("/") for path in files if path.endswith(".conf") and path not in own}
    if len(tops) != 1 or 3 not in depths or 2 in depths:
        return files
    return {path.partition("/")[2]: content for path, content in files.items()}
