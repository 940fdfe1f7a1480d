"""How far a dump or a load is: the collection, and the bytes of documents."""

import time

from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext, Report

# Reports that are nearer to each other say nothing more.
_PATIENCE = 0.2


class CollectionProgress:
    """Reports the bytes of ``total_bytes`` that are done, and says each of ``total`` collections once."""

    def __init__(
        self, context: PluginContext, verb: str, done_verb: str, total: int, total_bytes: int
    ) -> None:
        """``verb`` and ``done_verb`` are such as ``dumping`` and ``Dumped``."""
        self._context = context
        self._verb = verb
        self._done_verb = done_verb
        self._total = total
        self._total_bytes = total_bytes
        self._note = ""
        self._last = 0.0
        self.begun = 0
        self.done_bytes = 0

    def begin(self, name: str) -> None:
        """A collection is begun."""
        self.begun += 1
        self._note = f"{self._verb} collection {self.begun} of {self._total}: {name}"
        self._report()

    def add(self, size: int) -> None:
        """So many bytes more are done. Raises Cancelled when the call should end."""
        self._context.check_cancelled()
        self.done_bytes += size
        if time.monotonic() - self._last > _PATIENCE:
            self._report()

    def end(self, name: str, documents: int, size: int) -> None:
        """A collection is done."""
        self._report()
        self._context.info(
            f"{self._done_verb} {name} ({self.begun} of {self._total}): {documents_words(documents)}, "
            f"{size_words(size)}"
        )

    def _report(self) -> None:
        self._last = time.monotonic()
        # The size that the server told before is not that of this moment.
        total = max(self._total_bytes, self.done_bytes) if self._total_bytes else 0
        self._context.report(Report(done_bytes=self.done_bytes, total_bytes=total, note=self._note))


def documents_words(count: int) -> str:
    """A number of documents: ``1 document``, ``400 documents``."""
    return "1 document" if count == 1 else f"{count} documents"
