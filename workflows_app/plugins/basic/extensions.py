"""The two kinds of lines that are more than messages, for executables that opt in to them."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from workflows_app.domain.results import Backup, Level
from workflows_app.domain.wire import WireModel
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.basic.description import Description, Extension
from workflows_app.plugins.basic.lines import parse_line

_PROGRESS = "PROGRESS "
_BACKUP = "BACKUP "

Count = Annotated[int, Field(ge=0, lt=2**63, strict=True)]
T = TypeVar("T", bound=WireModel)


class ProgressLine(WireModel):
    """What follows ``PROGRESS``; fields as ``Report``'s."""

    done_bytes: Count = 0
    total_bytes: Count = 0
    done_files: Count = 0
    total_files: Count = 0
    note: str = ""


class Listener:
    """Hears the lines of one action: messages are said, progress is reported, the backup is kept.

    Without the extension such a line is a message like any other, as in Fossul. One that is broken is
    shown whole, with a warning the first time.
    """

    def __init__(self, context: PluginContext, description: Description) -> None:
        self._context = context
        self._progress = description.wants(Extension.PROGRESS)
        self._backup = description.wants(Extension.BACKUP)
        self._warned = False
        self.backup = Backup()

    def hear(self, line: str) -> None:
        """Take one line of output."""
        if self._progress and line.startswith(_PROGRESS):
            self._take(line, _PROGRESS, ProgressLine, self._report)
        elif self._backup and line.startswith(_BACKUP):
            self._take(line, _BACKUP, Backup, self._keep)
        elif parsed := parse_line(line):
            self._context.say(*parsed)

    def _take(self, line: str, word: str, model: type[T], use: Callable[[T], None]) -> None:
        try:
            value = model.model_validate_json(line.removeprefix(word))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            if not self._warned:
                where = ".".join(str(part) for part in problem["loc"])
                self._context.warn(f"The plugin's line {word.strip()} is broken: {where} {problem['msg']}")
                self._warned = True
            self._context.say(Level.UNKNOWN, line)
            return
        use(value)

    def _report(self, line: ProgressLine) -> None:
        self._context.report(
            Report(line.done_bytes, line.total_bytes, line.done_files, line.total_files, line.note)
        )

    def _keep(self, backup: Backup) -> None:
        self.backup = backup
