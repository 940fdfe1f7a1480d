"""The values of a plan's TOML: a reader gets the field as it was written, and refuses what it cannot be."""

from collections.abc import Mapping, Sequence

from workflows_app.domain.durations import duration_text, in_words, parse_duration
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plans import OnFailure
from workflows_app.domain.toml_text import toml_string


def read_table(
    path: str, value: object, known: Sequence[str], *, exact: bool = False
) -> dict[str, tuple[str, object]]:
    """Answer the entries of a table by their known name: the field as it was written, and its value.

    Names are matched whatever their case, unless ``exact``. Raises ConfigInvalid for what is no table, for
    unknown names, and for a name that is given twice.
    """
    if not isinstance(value, Mapping):
        raise ConfigInvalid(path, f"a table is wanted, not {kind_of(value)}")
    names = {name if exact else name.lower(): name for name in known}
    entries: dict[str, tuple[str, object]] = {}
    for written, item in value.items():
        field = ".".join(filter(None, (path, shown(written))))
        name = names.get(written if exact else written.lower())
        if name is None:
            raise ConfigInvalid(field, f"there is no such name here; known are {', '.join(known)}")
        if name in entries:
            raise ConfigInvalid(field, f"it is given twice, as {entries[name][0]}, too")
        entries[name] = (field, item)
    return entries


def read_duration(bounds: tuple[float, float], field: str, value: object) -> float:
    """Answer the seconds of a time within ``bounds``. Raises ConfigInvalid for anything else."""
    low, high = bounds
    wanted = (
        f'a time from {in_words(low)} to {in_words(high)} is wanted, like "90s", "10m", "1h30m" or a number '
        "of seconds"
    )
    seconds = value
    if isinstance(value, str):
        try:
            seconds = parse_duration(value)
        except ValueError:
            raise ConfigInvalid(field, f"this is no time: {wanted}") from None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ConfigInvalid(field, f"{wanted}, not {kind_of(seconds)}")
    if not low <= seconds <= high:
        raise ConfigInvalid(field, f"this is too short or too long: {wanted}")
    return float(seconds)


def read_count(bounds: tuple[int, int], field: str, value: object) -> int:
    """Answer a whole number within ``bounds``. Raises ConfigInvalid for anything else."""
    low, high = bounds
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigInvalid(field, f"a whole number from {low} to {high} is wanted")
    return value


def read_flag(field: str, value: object) -> bool:
    """Answer true or false. Raises ConfigInvalid for anything else."""
    if not isinstance(value, bool):
        raise ConfigInvalid(field, f"true or false is wanted, without quotes, not {kind_of(value)}")
    return value


def read_on_failure(field: str, value: object) -> OnFailure:
    """Answer what a run does on a failure. Raises ConfigInvalid for anything else."""
    if not isinstance(value, str) or value not in list(OnFailure):
        raise ConfigInvalid(field, f"one of {', '.join(map(toml_string, OnFailure))} is wanted")
    return OnFailure(value)


def toml_value(value: object) -> str:
    """Answer a value in TOML: a float is a time in seconds."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return toml_string(duration_text(int(value))) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, int) else toml_string(str(value))


def kind_of(value: object) -> str:
    """What kind of value TOML has here; never the value itself, which may be endless, or a secret."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    kinds: tuple[tuple[type, str], ...] = ((str, "text"), (Mapping, "a table"), (list, "a list"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "a date or time")


def shown(name: str) -> str:
    """A name as it was written; shortened and escaped where it is none."""
    plain = len(name) <= 63 and name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if plain else repr(name[:63])
