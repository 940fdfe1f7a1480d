"""What a restore is asked for."""

from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.wire import WireModel

RESTORE_FILES = "restoreFiles"
"""The capability of a storage plugin whose restore obeys ``RestoreRequest.files``. One without it is not
asked to restore single files."""

MOST_FILES = 1000
"""How many files and folders may be chosen for one restore."""

LARGEST_CHOICE = 256 * 1024
"""How many bytes their keys may have together: each step of the run carries them through Temporal."""

NAMED = 20


class RestoreRequest(WireModel):
    """Where a backup goes back to, and whether for real.

    ``target`` is an absolute path below which the backup's paths are written; empty means the places
    they came from. A ``dry_run`` writes nothing and tells what would be written, changed and removed.
    ``safety`` asks for a backup of the present state before anything is written. ``files`` are what of
    the backup is wanted, by ``FileEntry.key``: those files, and those folders with all that is in them;
    empty means everything.
    """

    omit_empty = frozenset({"target", "dryRun", "safety", "files"})

    target: str = ""
    dry_run: bool = False
    safety: bool = False
    files: tuple[str, ...] = ()


class Restoring(WireModel):
    """What a run restores: which backup, to below which path (empty: to where it came from), and what of it.

    ``files`` is how many files and folders were chosen, 0 for everything; ``named`` are the first ones, as
    text.
    """

    omit_empty = frozenset({"target", "dryRun", "files", "named"})

    backup: str = ""
    target: str = ""
    dry_run: bool = False
    files: int = 0
    named: tuple[str, ...] = ()


def restoring(backup: str, request: RestoreRequest) -> Restoring:
    """Answer what a restore of ``backup`` is about."""
    named = tuple(text_of(key) for key in request.files[:NAMED])
    return Restoring(
        backup=backup, target=request.target, dry_run=request.dry_run, files=len(request.files), named=named
    )


def chosen_files(keys: Iterable[str]) -> tuple[str, ...]:
    """Answer chosen files and folders, each once, in order, without what is in a chosen folder anyway.

    Raises ConfigInvalid for what is no ``FileEntry.key``, and for more than a restore may have.
    """
    given = dict.fromkeys(keys)
    for key in given:
        path = unquote_to_bytes(key)
        odd = not path.startswith(b"/") or b"\0" in path or b".." in path.split(b"/")
        if odd or quote(path) != key:
            raise ConfigInvalid("files", f"{key[:100]!r} is no file of a backup")
    chosen = tuple(key for key in given if not is_covered(key, given))
    if len(chosen) > MOST_FILES or sum(map(len, chosen)) > LARGEST_CHOICE:
        raise ConfigInvalid(
            "files",
            f"more than {MOST_FILES} files, or too long paths: choose folders, or restore in several goes",
        )
    return chosen


def is_covered(key: str, chosen: Iterable[str]) -> bool:
    """Whether a file is in a chosen folder, without being chosen itself."""
    folders = chosen if isinstance(chosen, (dict, set, frozenset)) else frozenset(chosen)
    parts = key.strip("/").split("/")
    return key != "/" and any("/" + "/".join(parts[:depth]) in folders for depth in range(len(parts)))


def text_of(key: str) -> str:
    """A key's path as people read it, bytes that are not UTF-8 escaped."""
    return unquote_to_bytes(key).decode(errors="backslashreplace")
