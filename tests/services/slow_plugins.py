"""An executable plugin ``slow``, which begins when it is asked and answers when it may."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SlowPlugin:
    """The plugin at the other end of ``folder``: it notes there that it has begun, and waits for ``go``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def asked(self) -> int:
        """How often it was asked."""
        begun = self._folder / "begun"
        return len(begun.read_text().splitlines()) if begun.exists() else 0

    def go_on(self) -> None:
        """Answer, now and later."""
        (self._folder / "go").touch()


@contextmanager
def slow_plugin(settings, folder: Path, family: str, script: str) -> Iterator[SlowPlugin]:
    """The only plugin of its own that a worker has; ``script`` has ``%(folder)s`` for where it notes.

    In the end it may answer.
    """
    program = folder / "plugins" / family / "slow"
    program.parent.mkdir(parents=True)
    program.write_text(script % {"folder": folder})
    program.chmod(stat.S_IRWXU)
    settings.FOSSUL_PLUGIN_DIRS = [folder / "plugins"]
    found = SlowPlugin(folder)
    yield found
    found.go_on()
