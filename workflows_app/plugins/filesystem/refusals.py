"""What a restore could not restore, named one by one up to a bound."""

from workflows_app.domain.results import Level
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.wording import shown

NAMED = 20
"""How many paths are named at each level."""


class Refusals:
    """Says at level ERROR what could not be restored, and at WARN what was left out on purpose.

    ``count`` is the number of errors.
    """

    def __init__(self, context: PluginContext) -> None:
        self._say = context.say
        self.count = 0
        self._left_out = 0

    def add(self, path: str, why: str) -> None:
        """Take note of what could not be restored."""
        self.count += 1
        if self.count <= NAMED:
            self._say(Level.ERROR, f"Cannot restore {shown(path)}: {why}")

    def warn(self, path: str, why: str) -> None:
        """Take note of what is left out."""
        self._left_out += 1
        if self._left_out <= NAMED:
            self._say(Level.WARN, f"{shown(path)}: {why}")

    def close(self) -> None:
        """Say how many were not named."""
        if self.count > NAMED:
            self._say(Level.ERROR, f"… and {self.count - NAMED} more that cannot be restored")
        if self._left_out > NAMED:
            self._say(Level.WARN, f"… and {self._left_out - NAMED} more that are left out")
