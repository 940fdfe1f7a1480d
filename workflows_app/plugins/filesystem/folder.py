"""Where a configuration keeps its backups, and how a new one appears there: complete or not at all."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workflows_app.domain.config import check_name
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.output import writing
from workflows_app.plugins.filesystem.removal import remove_folder
from workflows_app.plugins.wording import reason_of, shown

_PARTIAL = ".partial"


def backups_folder(destination: Path, profile: str, config: str) -> Path:
    """The real path of the folder for the backups of a configuration; it need not exist.

    Raises ConfigInvalid for a name that is none, and PluginFailed when a link leads out of ``destination``.
    """
    check_name("profileName", profile)
    check_name("configName", config)
    root = Path(os.path.realpath(destination))
    folder = Path(os.path.realpath(root / profile / config))
    if folder != root / profile / config:
        raise PluginFailed(
            f"{shown(str(destination / profile / config))} leads to {shown(str(folder))}, out of the "
            "destination: replace the link by a folder"
        )
    return folder


def make_folder(folder: Path) -> None:
    """Create a folder with all that are above it, safely on disk. Raises PluginFailed."""
    with writing(folder):
        if folder.is_dir():
            return
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def remove_leftovers(folder: Path, warn: Callable[[str], None]) -> None:
    """Remove the partial backups that a killed worker left in ``folder``. Raises PluginFailed."""
    for leftover in leftovers(folder):
        remove_leftover(leftover, warn)


def leftovers(folder: Path) -> list[Path]:
    """The partial backups in ``folder``, sorted. Raises PluginFailed."""
    with writing(folder):
        return sorted(
            folder / entry.name
            for entry in os.scandir(folder)
            if entry.name.startswith(".")
            and entry.name.endswith(_PARTIAL)
            and entry.is_dir(follow_symlinks=False)
        )


def remove_leftover(leftover: Path, warn: Callable[[str], None]) -> None:
    """Remove a partial backup, and say so. Raises PluginFailed."""
    warn(f"Removing {shown(str(leftover))}, which an interrupted backup left behind")
    with writing(leftover):
        remove_folder(leftover)


def set_aside(leftover: Path, name: str) -> Path:
    """Make room for a new partial folder of the backup ``name``: the leftover's path from now on.

    It still counts as a leftover. Raises PluginFailed.
    """
    with writing(leftover):
        number = 1
        while os.path.lexists(aside := leftover.with_name(f".{name}.{number}{_PARTIAL}")):
            number += 1
        leftover.rename(aside)
    return aside


class PartialFolder:
    """A hidden folder in which a backup is written, until ``publish`` gives it its name."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f".{name}{_PARTIAL}"
        self._final = folder / name
        self._refuse_existing()
        with writing(self.path):
            self.path.mkdir(mode=0o700)
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def publish(self) -> None:
        """Give the folder its final name, in one step, for good. Raises PluginFailed."""
        with writing(self._final):
            self._refuse_existing()
            if not self._is_ours():
                raise PluginFailed(
                    f"{shown(str(self.path))} is gone: another worker began this backup anew and removed it"
                )
            os.fsync(self._descriptor)
            self.path.rename(self._final)
            self.path = self._final
            _sync_folder(self._final.parent)

    def remove(self) -> None:
        """Remove the folder and all that is in it. Raises OSError."""
        if self._is_ours():
            remove_folder(self.path)

    def close(self) -> None:
        """Let go of the folder, which stays where it is."""
        os.close(self._descriptor)

    def _refuse_existing(self) -> None:
        if os.path.lexists(self._final):
            raise PluginFailed(
                f"There is a backup {shown(str(self._final))} already, which is left as it is: run the "
                "backup again, under a new number"
            )

    def _is_ours(self) -> bool:
        """Whether the path still leads to the folder that was made here, and not to somebody else's."""
        try:
            status = os.lstat(self.path)
        except FileNotFoundError:
            return False
        return os.path.samestat(status, os.fstat(self._descriptor))


@contextmanager
def partial_folder(folder: Path, name: str, warn: Callable[[str], None]) -> Iterator[PartialFolder]:
    """A new partial folder for the backup ``name``, which is removed when the block raises anything.

    Raises PluginFailed when there is a backup of that name, or when the folder cannot be made.
    """
    partial = PartialFolder(folder, name)
    try:
        yield partial
    except BaseException:
        try:
            partial.remove()
        except OSError as error:
            warn(f"Cannot remove {shown(str(partial.path))}: {reason_of(error)}. Remove it by hand")
        raise
    finally:
        partial.close()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
