"""What an executable answers in JSON to ``--info``, ``--discover`` and the lists (§7.2)."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.file_listings import FileEntry, FileListing
from workflows_app.domain.findings import Finding
from workflows_app.domain.parameter_kinds import ParameterForm
from workflows_app.domain.results import (
    Archive,
    Backup,
    Capability,
    Content,
    Discover,
    Level,
    Message,
    ParameterSpec,
    Result,
)
from workflows_app.domain.wire import WireModel
from workflows_app.plugins.basic.description import Description
from workflows_app.plugins.basic.lines import is_log_line, parse_line

# Far above any real answer, and what a process that floods may take of the worker's memory.
ANSWER_LIMIT = 16 * 1024 * 1024
_SHOWN = 200

T = TypeVar("T")


class DiscoverAnswer(WireModel):
    """Fossul's DiscoverResult: a Result, and beside it what was found."""

    discover_list: tuple[Discover, ...] = ()
    result: Result = Result()


# Go takes a key in any case when it knows none that is spelt exactly so (§1).
_KEYS = {
    str(field.alias).lower(): str(field.alias)
    for model in (
        Archive, Backup, Capability, Content, Description, Discover, DiscoverAnswer, FileEntry, FileListing,
        Finding, Message, ParameterForm, ParameterSpec, Result,
    )
    for field in model.model_fields.values()
}  # fmt: skip


class Answer:
    """Collects the lines of an answer. Raises PluginFailed from ``add`` for one that never ends."""

    def __init__(self, say: Callable[[Level, str], None]) -> None:
        self._say = say
        self._lines: list[str] = []
        self._size = 0

    def add(self, line: str) -> None:
        """Take one line of output."""
        self._size += len(line) + 1
        if self._size > ANSWER_LIMIT:
            raise PluginFailed(f"it printed more than {ANSWER_LIMIT // 1024**2} MiB of answer")
        self._lines.append(line)

    def read(self, type_: type[T]) -> T:
        """Answer what was printed: all lines, joined by a space, are one JSON document of ``type_``.

        Where that is none, lines that begin with a level are said as messages and the others are the
        document; in Fossul one such line empties the answer. ``null`` is an empty list. Raises
        PluginFailed for what is no JSON, or another document: Fossul takes that for empty, and "there are
        no backups" must never be a guess.
        """
        try:
            document = _parse(self._lines)
        except ValueError:
            document = self._parse_rest()
        try:
            return TypeAdapter(type_).validate_python(() if document is None else _keys_as_known(document))
        except ValidationError as error:
            raise PluginFailed(f"its JSON is not the answer that is asked for: {_first(error)}") from None

    def last_words(self) -> str:
        """What was printed last, for people; ``""`` when nothing was."""
        return next((line[:_SHOWN] for line in reversed(self._lines) if line.strip()), "")

    def _parse_rest(self) -> Any:
        rest = []
        for line in self._lines:
            parsed = parse_line(line)
            if parsed and is_log_line(line):
                self._say(*parsed)
            else:
                rest.append(line)
        try:
            return _parse(rest)
        except ValueError as error:
            if not any(line.strip() for line in rest):
                raise PluginFailed("it printed no JSON") from None
            shown = " ".join(rest).strip()[:_SHOWN]
            raise PluginFailed(f"what it printed is no JSON ({error}): {shown}") from None


def _parse(lines: Sequence[str]) -> Any:
    """Raises ValueError."""
    return from_json(" ".join(lines), allow_inf_nan=False)


def _keys_as_known(value: Any) -> Any:
    """The document, with keys that are known but for their case spelt as they are here."""
    if isinstance(value, list):
        return [_keys_as_known(item) for item in value]
    if isinstance(value, dict):
        # An exact key is met last, so that it wins.
        pairs = sorted(value.items(), key=lambda pair: _KEYS.get(pair[0].lower()) == pair[0])
        return {_KEYS.get(key.lower(), key): _keys_as_known(item) for key, item in pairs}
    return value


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else problem["msg"]
