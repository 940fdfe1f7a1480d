r"""A plugin's parameters as Fossul keeps them in ``<plugin>.conf`` (fossul-behaviour.md §2).

The file looks like TOML and is none: Fossul takes the first match of ``(\S+)\s*=\s*"(\S+)"`` in each line, so
a comment may be a setting, and a value with a space is none. What Fossul reads is read the same here; what
it would lose is taken where it can be understood, and told.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from workflows_app.domain.config_files.notes import Note, Outcome
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.secrets.redaction import Redactor
from workflows_app.domain.toml_text import toml_key, toml_string

# Go's \s, which Python's is not: that has the vertical tab as well.
_SPACE = re.compile(r"[\t\n\f\r ]")
_WORD = re.compile(r"[^\t\n\f\r ]+")
_OPENING = re.compile(r'=[\t\n\f\r ]*"')
_BARE_KEY = re.compile(r"[A-Za-z0-9_.-]+")
_TABLE_HEAD = re.compile(r"\[.*\](?:\s*#.*)?")
_LONGEST_LINE = 64 * 1024
# Longer names in a report tell nobody more.
_SHOWN = 60

_EMPTY = "Fossul loses an empty value"
_SPACED = "Fossul loses a value with spaces"
_UNQUOTED = "Fossul loses a value that is not in double quotes"


@dataclass(frozen=True, slots=True)
class PluginFile:
    """A plugin's parameters, and what is to be said about how they were read."""

    values: Mapping[str, str]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A parameter that one line gives; ``lost`` says why Fossul would not see it."""

    key: str
    value: str
    line: int
    lost: str = ""
    comment: bool = False


def read_plugin(content: bytes) -> PluginFile:
    """Read a plugin file as Fossul does; what Fossul would lose is taken too, with a note.

    Where two lines give one key, the later counts, but what Fossul sees goes before what it would lose.
    Raises ConfigInvalid for a NUL, which neither an environment nor a database can hold.
    """
    notes: list[Note] = []
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        # As Go does on the way to a plugin.
        text = content.decode(errors="replace")
        where = content.count(b"\n", 0, error.start) + 1
        notes.append(Note(Outcome.CHANGED, "the text", "what is not UTF-8 became �", where))
    found: dict[str, _Entry] = {}
    beyond = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not beyond and len(line.encode()) >= _LONGEST_LINE:
            beyond = f"Fossul stops reading at line {number}, which is longer than 64 KiB"
            notes.append(Note(Outcome.CHANGED, "the rest", f"{beyond}; it is taken", number))
        entry = _entry(number, line.removesuffix("\r"), beyond)
        if entry is None:
            if _means_something(line):
                notes.append(Note(Outcome.DROPPED, "a line", 'it is not Key = "value"', number))
            continue
        earlier = found.get(entry.key)
        if earlier is None:
            found[entry.key] = entry
            continue
        loser = entry if entry.lost and not earlier.lost else earlier
        winner = earlier if loser is entry else entry
        found[entry.key] = winner
        notes.append(
            Note(Outcome.DROPPED, _shown(entry.key), f"line {winner.line} gives it, too", loser.line)
        )
    for entry in found.values():
        if "\0" in f"{entry.key}{entry.value}":
            raise ConfigInvalid(f"line {entry.line}", "it holds a NUL character; is this a text file?")
        if entry.lost:
            notes.append(Note(Outcome.CHANGED, _shown(entry.key), f"{entry.lost}; it is taken", entry.line))
        if entry.comment:
            why = "a comment, which Fossul reads as a setting; it is taken as Fossul does"
            notes.append(Note(Outcome.CHANGED, _shown(entry.key), why, entry.line))
    return PluginFile(
        {entry.key: entry.value for entry in found.values()}, tuple(sorted(notes, key=lambda note: note.line))
    )


def write_plugin(values: Mapping[str, str]) -> str:
    """Write parameters, sorted by key, so that ``read_plugin`` reads them back equal.

    Fossul reads back the same wherever its format can hold the value. Raises ConfigInvalid naming the
    parameter that no line can hold (a name with spaces, a NUL).
    """
    text = "".join(f"{_line(key, values[key])}\n" for key in sorted(values))
    # Not at the beginning, where it would be a byte order mark.
    return f"\n{text}" if text.startswith("\ufeff") else text


def _line(key: str, value: str) -> str:
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in f"{key}{value}"):
        raise ConfigInvalid(_shown(key), "it holds a NUL, or half a character")
    # As Fossul reads it: nothing is escaped; then what it would lose, as TOML; the last form for what
    # Fossul would read, escapes and all, as another value.
    quoted = toml_string(value)
    for line in (f'{key} = "{value}"', f"{toml_key(key)} = {quoted}", f"{toml_key(key)} = [{quoted}]"):
        entry = None if "\n" in line else _entry(1, line, "")
        if entry is not None and (entry.key, entry.value) == (key, value):
            if len(line.encode()) >= _LONGEST_LINE:
                raise ConfigInvalid(_shown(key), "it is longer than 64 KiB, at which Fossul stops reading")
            return line
    raise ConfigInvalid(_shown(key), "a plugin file cannot hold a parameter with spaces in its name")


def _entry(number: int, line: str, beyond: str) -> _Entry | None:
    """The parameter in a line, None where there is none."""
    if match := fossul_match(line):
        comment = line.lstrip(" \t").startswith("#") and not match[0].startswith("#")
        return _Entry(*match, number, beyond, comment)
    if not _means_something(line):
        return None
    parsed = _toml(line) or _unquoted(line)
    if parsed is None:
        return None
    key, value = parsed
    why = _SPACED if _OPENING.search(line) else _UNQUOTED
    return _Entry(key, value, number, beyond or (why if value else _EMPTY))


def fossul_match(line: str) -> tuple[str, str] | None:
    r"""The first match of Go's ``(\S+)\s*=\s*"(\S+)"`` in ``line``: key and value.

    In linear time, which Go promises and Python's backtracking does not keep.
    """
    words = [word.span() for word in _WORD.finditer(line)]
    begins = [begin for begin, _ in words]
    closing = [line.rfind('"', begin, end) for begin, end in words]
    found: tuple[int, int, int, int] | None = None
    for opening in _OPENING.finditer(line):
        equals, quote = opening.start(), opening.end() - 1
        value = bisect_right(begins, quote) - 1
        key = bisect_right(begins, equals) - 1
        end = equals
        if begins[key] == equals:
            key -= 1
            end = words[key][1]
        if key < 0 or closing[value] < quote + 2:
            continue
        # The leftmost match counts; of those that begin there, the one with the longest key.
        if found is not None and begins[key] > found[0]:
            break
        found = (begins[key], end, quote + 1, closing[value])
    return (line[found[0] : found[1]], line[found[2] : found[3]]) if found else None


def _toml(line: str) -> tuple[str, str] | None:
    """The key and the text in a line of TOML: of a string, or of a list that holds nothing but one."""
    try:
        table = tomllib.loads(line)
    except (ValueError, RecursionError):
        return None
    if len(table) != 1:
        return None
    ((key, value),) = table.items()
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    # A dotted key makes a table, which is no text.
    return (key, value) if isinstance(value, str) and key and not _SPACE.search(key) else None


def _unquoted(line: str) -> tuple[str, str] | None:
    """The key and the text of ``Key = text``, less a comment after it."""
    key, _, rest = line.partition("=")
    value = rest.partition("#")[0].strip()
    if not _BARE_KEY.fullmatch(key.strip()) or not value or value[0] in "\"'[{":
        return None
    return key.strip(), value


def _means_something(line: str) -> bool:
    """Whether a line is neither blank, nor a comment, nor the head of a table, which Fossul passes over."""
    text = line.strip()
    return bool(text) and not text.startswith("#") and not _TABLE_HEAD.fullmatch(text)


def _shown(key: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in Redactor().redact(key))
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
