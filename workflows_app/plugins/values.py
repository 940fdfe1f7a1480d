"""Reads the text of parameters: each reader answers a value, or refuses by the parameter's name."""

import re
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid

# PostgreSQL cuts a longer name.
_NAME_BYTES = 63


def absolute_path(field: str, text: str) -> Path:
    """An absolute path, which may go into a list that is separated by commas. Raises ConfigInvalid."""
    text = text.strip()
    if not text:
        raise ConfigInvalid(field, "is empty: give an absolute path where the worker runs")
    if not text.startswith("/") or not text.isprintable():
        raise ConfigInvalid(field, f"{text!r} is not an absolute path: let it begin with '/'")
    if "," in text:
        # A discovered path reaches the storage plugin in such a list (fossul-behaviour.md §3).
        raise ConfigInvalid(field, f"{text!r} has a comma, at which lists of paths are split: choose another")
    return Path(text)


def whole_number(field: str, text: str, default: int, most: int, *, least: int = 1) -> int:
    """A whole number from ``least`` to ``most``; ``default`` for an empty text. Raises ConfigInvalid."""
    text = text.strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise ConfigInvalid(field, f"{text!r} is not a whole number from {least} to {most}")
    return int(text)


def one_of(field: str, text: str, choices: tuple[str, ...], default: str) -> str:
    """One of ``choices``; ``default`` for an empty text. Raises ConfigInvalid."""
    text = text.strip() or default
    if text not in choices:
        raise ConfigInvalid(field, f"{text!r} is none of {', '.join(choices)}")
    return text


def flag(field: str, text: str, *, default: bool) -> bool:
    """Whether it says ``true``, not ``false``, in any case; ``default`` for none. Raises ConfigInvalid."""
    said = text.strip().lower()
    if said not in ("", "true", "false"):
        raise ConfigInvalid(field, f"{text.strip()!r} is neither true nor false")
    return said == "true" if said else default


def identifier(field: str, text: str, what: str, most: int = _NAME_BYTES) -> str:
    """The name of a role or a database. Raises ConfigInvalid for none, and for more than ``most`` bytes."""
    text = text.strip()
    if not text:
        raise ConfigInvalid(field, f"is empty: give the name of {what}")
    if not text.isprintable() or len(text.encode(errors="replace")) > most:
        raise ConfigInvalid(
            field,
            f"{text!r} is not the name of {what}: use up to {most} bytes of printable characters",
        )
    return text


def program_name(field: str, text: str, default: str) -> str:
    """The name of a program in ``$PATH``, or its absolute path. Raises ConfigInvalid."""
    text = text.strip() or default
    if not text.isprintable() or ("/" in text and not text.startswith("/")) or text.startswith("-"):
        raise ConfigInvalid(field, f"{text!r} is neither the name of a program nor its absolute path")
    return text
