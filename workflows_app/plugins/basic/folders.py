"""Finds executables in the configured folders, and refuses those that another user could have put there."""

import logging
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from workflows_app.domain.errors import PluginFailed

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", re.ASCII)
_SHEBANG = re.compile(rb"#![ \t]*([^ \t\n]+)")
_ANYBODY = stat.S_IWOTH
# As much of it as the kernel reads.
_FIRST_LINE = 256
_EXECUTABLE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


class PluginFolders:
    """The folders ``<root>/<family>`` of some roots, looked into anew at each call; the first root wins.

    An executable is a regular file with a name of letters, digits, ``.``, ``_`` and ``-`` that does not end
    in ``.so`` (a native plugin of Fossul). It and each folder up to its root may be written by its owner
    and group only, and no symbolic link may lead out of the family's folder.
    """

    def __init__(self, roots: Sequence[Path] = ()) -> None:
        self._roots = tuple(roots)
        self._told: set[str] = set()

    def names(self, family: str) -> tuple[str, ...]:
        """The names of the executables that can be used, sorted; why another is refused is logged once."""
        found = set()
        for root in self._roots:
            for name in _candidates(root / family):
                try:
                    if self.find(family, name):
                        found.add(name)
                except PluginFailed as error:
                    self._tell(str(error))
        return tuple(sorted(found))

    def find(self, family: str, name: str) -> Path | None:
        """The executable of that name, None when there is no such file.

        Raises PluginFailed for a file that is there and may not be run, with what to do about it.
        """
        if not _is_name(name):
            return None
        for root in self._roots:
            path = root / family / name
            if os.path.lexists(path):
                _check(root, root / family, path)
                return path
        return None

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            logger.warning("%s", words)


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and not name.endswith(".so")


def _candidates(folder: Path) -> tuple[str, ...]:
    """The names in a folder that could be plugins: what nobody may execute is documentation or data."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names alone
    except OSError:  # that it is missing is no reason to speak: a root may have one family only
        return ()
    return tuple(name for name in names if _is_name(name) and _looks_executable(folder / name))


def _looks_executable(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return path.is_symlink()
    return stat.S_ISREG(mode) and bool(mode & _EXECUTABLE)


def _check(root: Path, folder: Path, path: Path) -> None:
    """Raises PluginFailed."""
    refused = f"The plugin {path} is not used"
    try:
        real_root, real_folder, real = (p.resolve(strict=True) for p in (root, folder, path))
        mode = real.stat().st_mode
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links, before Python 3.13
        raise PluginFailed(f"{refused}: {getattr(error, 'strerror', None) or error}") from None
    if not real_folder.is_relative_to(real_root) or not real.is_relative_to(real_folder):
        raise PluginFailed(
            f"{refused}: a symbolic link leads out of its folder, to {real}. Copy the file there."
        )
    if not stat.S_ISREG(mode):
        raise PluginFailed(f"{refused}: it is no regular file")
    within = (real, *(parent for parent in real.parents if parent.is_relative_to(real_root)))
    for place in within:
        if place.stat().st_mode & _ANYBODY:
            raise PluginFailed(f"{refused}: every user may write {place}. Run: chmod o-w {place}")
    for place in real_root.parents:
        mode_above = place.stat().st_mode
        if mode_above & _ANYBODY and not mode_above & stat.S_ISVTX:
            raise PluginFailed(f"{refused}: every user may replace what is in {place}")
    if not os.access(real, os.X_OK):
        raise PluginFailed(f"{refused}: the worker may not execute it. Run: chmod +x {path}")
    interpreter = _interpreter(real)
    if interpreter and not interpreter.exists():
        ends = ". End its lines without carriage returns" if interpreter.name.endswith("\r") else ""
        raise PluginFailed(
            f"{refused}: the interpreter in its first line is not there, {str(interpreter)!r}{ends}"
        )


def _interpreter(path: Path) -> Path | None:
    """What the first line of a script names; the system says of one that is missing that the script is."""
    try:
        with path.open("rb") as file:
            line = file.readline(_FIRST_LINE)
    except OSError:  # it may be executed, not read
        return None
    found = _SHEBANG.match(line)
    return Path(os.fsdecode(found[1])) if found else None
