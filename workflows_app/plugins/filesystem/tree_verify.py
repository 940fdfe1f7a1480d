"""Holds a tree against its manifest, file by file."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

from workflows_app.plugins.filesystem.damage import VerificationFailed
from workflows_app.plugins.filesystem.kept import Kept
from workflows_app.plugins.filesystem.manifest import (
    Footer,
    ManifestBroken,
    ManifestReader,
    read_lines,
)
from workflows_app.plugins.filesystem.members import FILE, Member
from workflows_app.plugins.filesystem.tree_files import TreeFiles, hash_stored
from workflows_app.plugins.filesystem.walk import Entry
from workflows_app.plugins.wording import reason_of, shown


def every_file(member: Member, kept: Kept) -> bool:
    """That the content of every file is to be read."""
    return True


def verify_tree(
    root: Path,
    manifest: Path,
    advance: Callable[[int, int], None],
    reads: Callable[[Member, Kept], bool] = every_file,
) -> Footer:
    """Hold the tree ``root`` against its manifest and answer the manifest's last line when they agree.

    The lines of the manifest are those that were written; each file and folder that it tells of is there,
    with its size, and nothing else is. The content of what ``reads`` says is read from the disk and held
    against its hash. ``advance`` is given the bytes and files that were read since the last call; what it
    raises ends the verification. Raises VerificationFailed at the first difference, and when anything cannot
    be read.
    """
    with _failing(root, manifest):
        footer = read_lines(manifest, lambda: advance(0, 0))
        with manifest.open("rb") as lines, closing(TreeFiles(str(root), _refuse, _refuse_extra)) as files:
            for member, kept in ManifestReader(lines).entries():
                advance(0, 0)
                if member.type not in (FILE, "directory"):
                    continue
                entry = files.find(member.path)
                _compare(member, entry)
                if entry is not None and member.type == FILE and reads(member, kept):
                    _read(member, entry, advance)
            files.finish()
    return footer


def _compare(member: Member, entry: Entry | None) -> None:
    if entry is None:
        raise VerificationFailed(f"{shown(member.path)} is missing")
    if not (entry.is_file if member.type == FILE else entry.is_directory):
        raise VerificationFailed(f"{shown(member.path)} is no {member.type}")
    if member.type == FILE and entry.stat.st_size != member.size:
        raise VerificationFailed(
            f"{shown(member.path)} has {entry.stat.st_size} bytes instead of {member.size}"
        )


def _read(member: Member, entry: Entry, advance: Callable[[int, int], None]) -> None:
    try:
        found = hash_stored(entry, member.size, lambda size: advance(size, 0))
    except OSError as error:
        _refuse(entry.path, error)
    if found != member.sha256:
        raise VerificationFailed(f"{shown(member.path)} has SHA-256 {found} instead of {member.sha256}")
    advance(0, 1)


def _refuse(path: str, error: OSError) -> NoReturn:
    raise VerificationFailed(f"{shown(path)} cannot be read back: {reason_of(error)}")


def _refuse_extra(entry: Entry) -> None:
    raise VerificationFailed(f"{shown(entry.path)} is in the tree but not in the manifest")


@contextmanager
def _failing(root: Path, manifest: Path) -> Iterator[None]:
    """Turn every way to fail into a VerificationFailed that names the tree."""
    where = f"The backup in {shown(str(root))} failed its verification"
    try:
        yield
    except VerificationFailed as error:
        raise VerificationFailed(f"{where}: {error}") from None
    except ManifestBroken as error:
        raise VerificationFailed(f"{where}: the manifest {shown(manifest.name)} is broken: {error}") from None
    except OSError as error:
        raise VerificationFailed(f"{where}: cannot read it back: {reason_of(error)}") from error
