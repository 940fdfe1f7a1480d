"""A folder that appears under its name complete or not at all, and the files in it."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.archiving.sums import Sums
from workflows_app.plugins.wording import reason_of, shown


@contextmanager
def writing(path: Path, parameter: str) -> Iterator[None]:
    """Turn an OSError into a PluginFailed that names ``path``, and the parameter that says where it is."""
    try:
        yield
    except OSError as error:
        raise PluginFailed(
            f"Cannot write {shown(str(path))}: {reason_of(error)}. Check the space and the permissions of "
            f"{parameter} for the worker's user (uid {os.geteuid()})"
        ) from error


class NewFolder:
    """A hidden folder that is filled until ``publish`` gives it its name.

    Every method raises PluginFailed when the disk refuses. Paths are relative to the folder.
    """

    def __init__(self, folder: Path, name: str, suffix: str, parameter: str) -> None:
        self.path = folder / f".{name}{suffix}"
        self._final = folder / name
        self._parameter = parameter
        with writing(self.path, parameter):
            _make(folder)
            self.path.mkdir(mode=0o700)

    def add_folder(self, path: str) -> None:
        """Make a folder in it."""
        with writing(self.path / path, self._parameter):
            (self.path / path).mkdir(mode=0o700)

    def add_file(self, path: str, pieces: Iterable[bytes]) -> Sums:
        """Write a new file, safely on disk and out of the memory, and answer what was written."""
        full, digest, size = self.path / path, hashlib.sha256(), 0
        with writing(full, self._parameter):
            descriptor = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            for piece in pieces:  # what the source raises is not about this disk
                with writing(full, self._parameter):
                    rest = memoryview(piece)
                    while rest:
                        rest = rest[os.write(descriptor, rest) :]
                digest.update(piece)
                size += len(piece)
            with writing(full, self._parameter):
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
        return Sums(size, digest.hexdigest())

    def publish(self) -> None:
        """Give the folder its final name, in one step, for good."""
        with writing(self._final, self._parameter):
            for folder, _, _ in os.walk(self.path):
                _sync(Path(folder))
            # A rename would replace an empty folder of that name, and no other one.
            self.path.rename(self._final)
            _sync(self._final.parent)

    def remove(self) -> None:
        """Remove the folder and all that is in it. Raises OSError."""
        if self.path.exists():
            shutil.rmtree(self.path)


@contextmanager
def new_folder(
    folder: Path, name: str, suffix: str, parameter: str, warn: Callable[[str], None]
) -> Iterator[NewFolder]:
    """A new folder ``name`` in ``folder``, of which nothing stays when the block raises anything.

    Until it is complete it is hidden, under a name with ``suffix``. Raises PluginFailed.
    """
    landing = NewFolder(folder, name, suffix, parameter)
    try:
        yield landing
    except BaseException:
        try:
            landing.remove()
        except OSError as error:
            warn(f"Cannot remove {shown(str(landing.path))}: {reason_of(error)}. Remove it by hand")
        raise


def _make(folder: Path) -> None:
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
