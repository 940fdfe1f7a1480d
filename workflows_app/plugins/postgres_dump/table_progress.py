"""How far a program is, by the tables that it names."""

import re

from workflows_app.plugins.base import PluginContext, Report

# What pg_dump and pg_restore say with --verbose when they come to the rows of a table.
_TABLE = re.compile(r'(?:dumping contents of|processing data for) table "(.+)"')


class TableProgress:
    """Says each table once and reports how many of ``total`` were begun; 0 for an unknown total."""

    def __init__(self, context: PluginContext, verb: str, total: int = 0) -> None:
        self._context = context
        self._verb = verb
        self._total = total
        self.begun = 0
        self.note = ""

    def hear(self, text: str) -> None:
        """Take what the program says of its work."""
        found = _TABLE.fullmatch(text)
        if found is None:
            return
        self.begun += 1
        of = f" of {self._total}" if self.begun <= self._total else ""
        self._context.info(f"{self._verb} table {found[1]} ({self.begun}{of})")
        self.note = f"{self._verb.lower()} table {self.begun}{of}: {found[1]}"
        self._context.report(Report(note=self.note))

    def count(self, done: int, total: int = 0) -> None:
        """Report bytes of the dump, of those of all of it where that is known."""
        self._context.report(Report(done_bytes=done, total_bytes=total, note=self.note))
