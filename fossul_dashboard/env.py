"""Settings from the environment: typed, with defaults, loud on nonsense."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


def env_str(name: str, default: str = "") -> str:
    """Answer the variable's value, or ``default`` when it is not set."""
    return os.environ.get(name, default)


def env_bool(name: str, default: bool) -> bool:
    """Answer a switch. Raises ImproperlyConfigured for anything but a common spelling of yes or no."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false")


def env_int(name: str, default: int, least: int = 0) -> int:
    """Answer a whole number of at least ``least``. Raises ImproperlyConfigured for anything else."""
    value = os.environ.get(name)
    if value is None or value == "":
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number") from None
    if number < least:
        raise ImproperlyConfigured(f"{name}={number} is less than {least}")
    return number


def env_list(name: str, default: list[str]) -> list[str]:
    """Answer a comma-separated list, white space around its parts removed, empty parts left out."""
    value = os.environ.get(name)
    if value is None:
        return default
    return [part.strip() for part in value.split(",") if part.strip()]


def env_secret(name: str) -> str:
    """Answer a secret from ``NAME`` or, when that is not set, from the file that ``NAME_FILE`` names.

    Raises ImproperlyConfigured when the file cannot be read. Answers ``""`` when neither is set.
    """
    value = os.environ.get(name)
    if value:
        return value
    path = os.environ.get(f"{name}_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {path}: {error.strerror}") from None
