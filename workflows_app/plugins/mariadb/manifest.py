"""The checksums of a copy's files, in the form that ``sha256sum --check`` reads."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.wording import reason_of, shown

_CHUNK = 1024 * 1024
# How many files are named in a message.
_NAMED = 3


def write_manifest(root: Path, path: Path, check_cancelled: Callable[[], None]) -> int:
    """Write the checksum of every file below ``root`` into ``path``; answers how many there are.

    Raises PluginFailed for what cannot be read or written; what ``check_cancelled`` does.
    """
    sums = _sums(root, check_cancelled)
    try:
        path.write_bytes(b"".join(f"{sums[name]}  ".encode() + name + b"\n" for name in sorted(sums)))
    except OSError as error:
        raise PluginFailed(f"Cannot write {shown(str(path))}: {reason_of(error)}") from None
    return len(sums)


def check_manifest(root: Path, path: Path, check_cancelled: Callable[[], None]) -> None:
    """Hold the files below ``root`` against the manifest: none is missing, other, or too many.

    Raises PluginFailed; what ``check_cancelled`` does.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise PluginFailed(f"{shown(str(path))} cannot be read: {reason_of(error)}") from None
    expected = {name: value.decode() for value, _, name in (line.partition(b"  ") for line in lines)}
    sums = _sums(root, check_cancelled)
    for words, names in (
        ("missing", expected.keys() - sums.keys()),
        ("not in the manifest", sums.keys() - expected.keys()),
        ("changed", {name for name in sums.keys() & expected.keys() if sums[name] != expected[name]}),
    ):
        if names:
            some = ", ".join(shown(os.fsdecode(name)) for name in sorted(names)[:_NAMED])
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            raise PluginFailed(f"{some}{more}: {words}")


def _sums(root: Path, check_cancelled: Callable[[], None]) -> dict[bytes, str]:
    """The checksums of the files below ``root``, by their path in it."""
    sums: dict[bytes, str] = {}
    for file in _files(root):
        digest = hashlib.sha256()
        try:
            with file.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    check_cancelled()
                    digest.update(chunk)
        except OSError as error:
            raise PluginFailed(f"{shown(str(file))} cannot be read: {reason_of(error)}") from None
        sums[os.fsencode(file.relative_to(root))] = digest.hexdigest()
    return sums


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root, onerror=_refuse):
        yield from (Path(folder) / name for name in names)


def _refuse(error: OSError) -> None:
    raise PluginFailed(f"{shown(str(error.filename))} cannot be read: {reason_of(error)}")
