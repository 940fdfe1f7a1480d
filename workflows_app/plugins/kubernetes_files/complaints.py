"""What the tar in a pod says on its standard error: the first lines at once, the rest counted."""

from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.output import OutputLines

NAMED = 20
"""How many lines are said."""


class Complaints:
    """Says the first lines at level WARN. ``last`` is the last one of all, for an error's words."""

    def __init__(self, context: PluginContext) -> None:
        self._context = context
        self._lines = OutputLines()
        self._count = 0
        self.last = ""

    def hear(self, piece: bytes) -> None:
        """Take a piece of standard error."""
        for line in self._lines.feed(piece):
            self._take(line)

    def close(self) -> None:
        """There is no more: say how many lines were not said."""
        for line in self._lines.finish():
            self._take(line)
        if self._count > NAMED:
            self._context.warn(f"… and {self._count - NAMED} more lines of tar in the pod")

    def _take(self, line: str) -> None:
        self._count += 1
        self.last = line
        if self._count <= NAMED:
            self._context.warn(f"STDERR: {line}")
