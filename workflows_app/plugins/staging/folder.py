"""The folder in which a run puts what the storage plugin then backs up: there whole, or not at all."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workflows_app.domain.config import Config, check_name
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.plugins.wording import reason_of, shown


class Staging:
    """``<root>/<profile>/<config>/<run>``, in which the entries ``names`` are made and nothing else is.

    Fossul has ``<root>/<run>`` (fossul-behaviour.md §7.5); two dashboards would meet in that. ``path`` is the
    folder once it is whole, ``partial`` where it is until then.
    """

    def __init__(self, root: Path, config: Config, names: tuple[str, ...]) -> None:
        """Raises ConfigInvalid when the call tells of no run."""
        check_name("profileName", config.profile_name)
        check_name("configName", config.config_name)
        if not config.workflow_id.isdecimal() or len(config.workflow_id) > 20:
            raise ConfigInvalid("workflowId", f"{config.workflow_id!r} is not the number of a run")
        self._above = root / config.profile_name / config.config_name
        self._root = root
        self._names = names
        self.path = self._above / config.workflow_id
        self.partial = self._above / f".{config.workflow_id}.partial"

    @contextmanager
    def filling(self, warn: Callable[[str], None]) -> Iterator[Path]:
        """A new, empty folder, readable by the worker's user alone, which becomes ``path`` in the end.

        What an earlier attempt of the same run left is removed before. When the block raises anything, no
        folder stays; ``warn`` is told when that cannot be helped. Raises PluginFailed.
        """
        self.discard()
        with _touching(self.partial):
            self._above.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_links()
            self.partial.mkdir(mode=0o700)
        try:
            yield self.partial
            with _touching(self.path):
                self.partial.rename(self.path)
        except BaseException:
            try:
                self.discard()
            except PluginFailed as left:
                warn(str(left))
            raise

    def discard(self) -> bool:
        """Remove what this run has made, whole or partial; answers whether there was any.

        Raises PluginFailed when it cannot be removed, or when there is something else beside it.
        """
        if not os.path.lexists(self._above):
            return False
        self._refuse_links()
        found = [folder for folder in (self.partial, self.path) if os.path.lexists(folder)]
        for folder in found:
            with _touching(folder):
                if folder.is_symlink():
                    raise PluginFailed(f"{shown(str(folder))} is a link, not this run's folder: remove it")
                for name in self._names:
                    _remove(folder / name)
                folder.rmdir()
        return bool(found)

    def _refuse_links(self) -> None:
        real = os.path.realpath(self._above)
        if real != str(Path(os.path.realpath(self._root)) / self._above.relative_to(self._root)):
            raise PluginFailed(
                f"{shown(str(self._above))} leads to {shown(real)}, elsewhere: replace the link by a folder"
            )


def _remove(path: Path) -> None:
    if not os.path.lexists(path):
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@contextmanager
def _touching(path: Path) -> Iterator[None]:
    """Give a refusal of the operating system words."""
    try:
        yield
    except OSError as error:
        raise PluginFailed(
            f"Cannot write or remove {shown(str(path))}: {reason_of(error)}. The worker's user (uid "
            f"{os.geteuid()}) must be able to"
        ) from error
