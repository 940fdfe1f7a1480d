"""Values of a parsed main file, read with the type that Fossul's field has, or refused by their key."""

from collections.abc import Mapping
from typing import Any

from workflows_app.domain.config_files.notes import Note, Outcome
from workflows_app.domain.errors import ConfigInvalid

LARGEST = 2**31 - 1
"""The largest number of a file: what the narrowest of the databases' number columns holds."""

_TYPE_WORDS: dict[object, str] = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number with a fraction",
    bool: "true or false",
    dict: "a table",
    list: "a list",
}


def known(table: Mapping[str, Any], keys: tuple[str, ...], within: str, notes: list[Note]) -> dict[str, Any]:
    """Answer the known keys of ``table`` under their proper names; adds a note for each unknown one.

    ``within`` stands before each key in what is said. Raises ConfigInvalid for a key that is there twice.
    """
    # The length keeps out what only grows alike when folded, such as "ß" for "ss".
    names = {(len(key), key.casefold()): key for key in keys}
    found: dict[str, Any] = {}
    for written, value in table.items():
        name = names.get((len(written), written.casefold()))
        if name is None:
            what = f"{within}{printable(written)}"
            notes.append(Note(Outcome.DROPPED, what, "Fossul knows no such setting"))
        elif name in found:
            raise ConfigInvalid(f"{within}{name}", "it stands there twice; Fossul would take either")
        else:
            found[name] = value
    return found


def printable(key: str) -> str:
    """A key as it may be told: its beginning, without what steers a terminal."""
    return "".join(c if c.isprintable() else "?" for c in key[:60])


def of_type(key: str, value: Any, kind: object) -> Any:
    """Answer ``value`` when it is of exactly that type. Raises ConfigInvalid naming ``key``."""
    # bool is an int to Python, and not to Fossul.
    if type(value) is not kind:
        written = {bool: "true or false", str: "text", int: "a whole number"}.get(
            type(value), "something else"
        )
        raise ConfigInvalid(key, f"it must be {_TYPE_WORDS.get(kind, 'a table')}, and is {written}")
    return value


def count(key: str, value: Any) -> int:
    """Answer ``value`` when it is a number from 0 to ``LARGEST``. Raises ConfigInvalid naming ``key``."""
    number: int = of_type(key, value, int)
    if not 0 <= number <= LARGEST:
        raise ConfigInvalid(key, f"it must be between 0 and {LARGEST}")
    return number


def clean(key: str, value: str) -> str:
    """Answer ``value`` when a database can hold it. Raises ConfigInvalid naming ``key``."""
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        raise ConfigInvalid(key, "it holds a NUL, or half a character")
    return value


def list_of(key: str, value: Any) -> list[Any]:
    """Answer ``value`` when it is a list of tables. Raises ConfigInvalid naming ``key``."""
    if not isinstance(value, list):
        raise ConfigInvalid(key, f"it must be a list of tables: [[{key}]]")
    return value
