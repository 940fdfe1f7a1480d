"""Where in the text of a main file a setting stands."""

import re

_ENTRY = re.compile(r"(?P<list>[A-Za-z]+)\[(?P<number>[0-9]+)\](?:\.(?P<key>\w+))?")
_AT_LINE = re.compile(r"\bline (?P<line>[0-9]+)")


def line_of(text: str, setting: str, words: str = "") -> int:
    """The line, from 1, of ``setting`` as the reader of main files names it; 0 where it is not known.

    ``BackupRetentions[2].Policy`` is the key in the second table of that name. ``words`` that name a line
    themselves are believed.
    """
    told = _AT_LINE.search(f"{setting} {words}")
    if told:
        return int(told["line"])
    lines = text.split("\n")
    if entry := _ENTRY.match(setting):
        head = re.compile(rf"\s*\[\[\s*{entry['list']}\s*\]\]", re.IGNORECASE)
        heads = [number for number, line in enumerate(lines, 1) if head.match(line)]
        if int(entry["number"]) > len(heads):
            return 0
        begin = heads[int(entry["number"]) - 1]
        return (
            _key_line(lines, entry["key"], begin) if entry["key"] in ("Policy", "RetentionNumber") else begin
        )
    parts = setting.split(".")
    table = f"[{'.'.join(parts[:-1])}]".casefold()
    for number, line in enumerate(lines, 1):
        if line.strip().casefold() in (table, f"[{setting}]".casefold(), f"[[{setting}]]".casefold()):
            return _key_line(lines, parts[-1], number)
    return _key_line(lines, parts[-1], 0)


def _key_line(lines: list[str], key: str | None, after: int) -> int:
    """The line of ``key`` below line ``after``; ``after`` itself where it is not there."""
    found = re.compile(rf"\s*[\"']?{re.escape(key or '')}[\"']?\s*=", re.IGNORECASE)
    return next((n for n, line in enumerate(lines, 1) if n > after and found.match(line)), after)
