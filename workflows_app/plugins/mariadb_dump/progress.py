"""How far a dump is: the table that mariadb-dump names, and the bytes that came of it."""

import re

from workflows_app.plugins.base import PluginContext, Report

# What mariadb-dump says with --verbose.
_STRUCTURE = re.compile(r"-- Retrieving table structure for table (.+)\.\.\.")
_ROWS = "-- Sending SELECT query..."


class DumpProgress:
    """Says each table with rows of its own once, and reports how many of ``total`` were begun."""

    def __init__(self, context: PluginContext, total: int) -> None:
        self._context = context
        self._total = total
        self._table = ""
        self._note = ""
        self.begun = 0

    def hear(self, line: str) -> None:
        """Take what the program says of its work."""
        if found := _STRUCTURE.fullmatch(line):
            self._table = found[1]
        elif line == _ROWS:
            self.begun += 1
            of = f" of {self._total}" if self.begun <= self._total else ""
            self._note = f"dumping table {self.begun}{of}: {self._table}"
            self._context.info(f"Dumping table {self._table} ({self.begun}{of})")
            self._context.report(Report(note=self._note))

    def count(self, done: int) -> None:
        """Report bytes of SQL; from another thread."""
        self._context.report(Report(done_bytes=done, note=self._note))
