"""A folder of configuration files: ``<profile>/<configuration>/<file>.conf`` (fossul-behaviour.md §2).

Beside its configurations a profile may have a file of its own, ``<profile>/<profile>.conf``, which is ours.
"""

import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workflows_app.domain.config import check_name
from workflows_app.domain.config_files.files import SUFFIX
from workflows_app.domain.errors import ConfigInvalid, FossulError

TEMPLATE_PROFILE = "default"
"""The profile whose only configuration is a template for new ones, in Fossul (§2)."""

MARKER = ".fossul-export.json"
LARGEST_FILE = 2**20
"""The most bytes of a configuration file."""

_NOT_IN_A_CONFIG = "it is in no configuration's folder"
_NO_CONFIG_FILE = f"it is no {SUFFIX} file"
_TOO_LARGE = "it is larger than 1 MiB"


class FolderRefused(FossulError):
    """A folder cannot be read from or written to; the text says which, and why."""


@dataclass(slots=True)
class Folder:
    """What is in a folder: by (profile, configuration) its files' contents, by profile that of its own file;
    and what it is not made of.

    ``ignored`` and ``refused`` are pairs of a path below the folder and the reason.
    """

    configs: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    profiles: dict[str, bytes] = field(default_factory=dict)
    ignored: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def read_folder(root: Path) -> Folder:
    """Read all configuration files below ``root``. Raises FolderRefused when it is no readable folder.

    Hidden entries are passed over. A link may not lead out of ``root``; names must be names
    (``domain.config.check_name``), since they become parts of addresses.
    """
    folder = Folder()
    try:
        root = root.resolve(strict=True)
        for profile in _entries(root, folder, root):
            if not profile.is_dir():
                folder.ignored.append((profile.name, _NOT_IN_A_CONFIG))
            elif _named(profile, "profile", folder, root):
                _read_profile(profile, folder, root)
    except OSError as error:
        raise FolderRefused(f"{error.filename or root}: {error.strerror}") from error
    return folder


def folder_of(files: Mapping[str, bytes]) -> Folder:
    """Answer a folder of contents by path, as ``read_folder`` would read it from a disk."""
    folder = Folder()
    refused: set[str] = set()
    for path in sorted(files):
        parts = path.split("/")
        if any(part.startswith(".") for part in parts) or not _below_names(parts, folder, refused):
            continue
        own = path == profile_path(parts[0])
        if len(parts) < 3 and not own:
            folder.ignored.append((path, _NOT_IN_A_CONFIG))
            continue
        found = folder.profiles if own else folder.configs.setdefault((parts[0], parts[1]), {})
        if len(parts) > 3 or not path.endswith(SUFFIX):
            folder.ignored.append((path, _NO_CONFIG_FILE))
        elif len(files[path]) > LARGEST_FILE:
            folder.refused.append((path, _TOO_LARGE))
        else:
            found[parts[0] if own else parts[2]] = files[path]
    return folder


def profile_path(profile: str) -> str:
    """Where a profile's own file is, below the folder."""
    return f"{profile}/{profile}{SUFFIX}"


def write_folder(root: Path, files: Mapping[str, str], *, force: bool = False) -> tuple[str, ...]:
    """Write texts by their path below ``root``; answer the files of an earlier export that it removed.

    Each file appears whole, readable for its owner alone. Raises FolderRefused, before anything is
    written, for a folder that has other content than an earlier export, unless ``force``; OSError.
    """
    earlier = _earlier_export(root)
    if earlier is None and not force and root.exists() and any(root.iterdir()):
        raise FolderRefused(f"{root} is not empty, and no earlier export: choose another, or use --force")
    stale = tuple(sorted(set(earlier or ()) - files.keys()))
    for path in (*files, *stale):
        for part in (root / path, *(root / parent for parent in Path(path).parents)):
            if part.is_symlink() and part != root:
                raise FolderRefused(f"{part} is a link; an export does not follow it")
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    # First what will have been exported: an export that is cut off is still known as one.
    _write(root / MARKER, json.dumps({"files": sorted({*(earlier or ()), *files})}, indent=1) + "\n")
    for path, text in files.items():
        (root / path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(root / path, text)
    for path in stale:
        (root / path).unlink(missing_ok=True)
        for parent in list(Path(path).parents)[:-1]:
            if (root / parent).is_dir() and not any((root / parent).iterdir()):
                (root / parent).rmdir()
    _write(root / MARKER, json.dumps({"files": sorted(files)}, indent=1) + "\n")
    return stale


def _read_profile(profile: Path, folder: Folder, root: Path) -> None:
    for config in _entries(profile, folder, root):
        place = f"{profile.name}/{config.name}"
        if not config.is_dir():
            if place == profile_path(profile.name):
                own: dict[str, bytes] = {}
                _read_file(config, own, folder, root)
                if own:
                    folder.profiles[profile.name] = own[config.name]
            else:
                folder.ignored.append((place, _NOT_IN_A_CONFIG))
        elif _named(config, "configuration", folder, root):
            found: dict[str, bytes] = {}
            for file in _entries(config, folder, root):
                _read_file(file, found, folder, root)
            folder.configs[profile.name, config.name] = found


def _read_file(file: Path, found: dict[str, bytes], folder: Folder, root: Path) -> None:
    path = str(file.relative_to(root))
    if file.is_dir() or file.suffix != SUFFIX:
        folder.ignored.append((path, _NO_CONFIG_FILE))
        return
    # Without waiting for the other end of what may be a pipe.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            folder.refused.append((path, "it is not a file"))
            return
        content = stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        folder.refused.append((path, _TOO_LARGE))
    else:
        found[file.name] = content


def _entries(directory: Path, folder: Folder, root: Path) -> Iterable[Path]:
    """What is in a directory, by name, less hidden entries and links that lead out of ``root``."""
    for entry in sorted(directory.iterdir()):
        if entry.name.startswith("."):
            continue
        why = _link_trouble(entry, root) if entry.is_symlink() else ""
        if why:
            folder.refused.append((str(entry.relative_to(root)), why))
        else:
            yield entry


def _link_trouble(link: Path, root: Path) -> str:
    """Why a link is not followed; ``""`` when it is."""
    try:
        inside = link.resolve(strict=True).is_relative_to(root)
    except FileNotFoundError:
        return "it is a link to nothing"
    except (OSError, RuntimeError):  # RuntimeError for a loop, before Python 3.13
        return "it is a link that leads in a circle, or cannot be followed"
    return "" if inside else "it is a link out of the folder"


def _below_names(parts: list[str], folder: Folder, refused: set[str]) -> bool:
    """Whether what a path is below may be a profile and a configuration; each that is not is told once."""
    for depth, what in enumerate(("profile", "configuration")[: len(parts) - 1]):
        place = "/".join(parts[: depth + 1])
        if place in refused:
            return False
        if not _is_name(parts[depth], what, place, folder):
            refused.add(place)
            return False
    return True


def _named(entry: Path, what: str, folder: Folder, root: Path) -> bool:
    return _is_name(entry.name, what, str(entry.relative_to(root)), folder)


def _is_name(name: str, what: str, place: str, folder: Folder) -> bool:
    """Whether the entry ``name`` at ``place`` may be a profile or configuration; else it is refused."""
    try:
        check_name(what, name)
    except ConfigInvalid as error:
        # A name that no terminal can show is told as Python writes it.
        folder.refused.append((ascii(place)[1:-1], str(error)))
        return False
    return True


def _earlier_export(root: Path) -> list[str] | None:
    """The files of an earlier export into ``root``; None when there was none."""
    marker = root / MARKER
    if marker.is_symlink() or not marker.is_file():
        return None
    try:
        files = json.loads(marker.read_text())["files"]
        return [path for path in files if _is_config_path(path)]
    except (ValueError, TypeError, KeyError) as error:
        raise FolderRefused(f"{marker} is not what an export wrote") from error


def _is_config_path(path: str) -> bool:
    """Whether ``path`` is one that an export may have written, and may remove."""
    parts = path.split("/")
    try:
        for part in parts:
            check_name("path", part)
    except ConfigInvalid:
        return False
    return path == profile_path(parts[0]) or (len(parts) == 3 and path.endswith(SUFFIX))


def _write(path: Path, text: str) -> None:
    # mkstemp makes the file for its owner alone.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".fossul-")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
