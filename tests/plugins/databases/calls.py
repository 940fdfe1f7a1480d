"""Calls of the plugins of databases."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.plugins.cancelling import CancelSwitch
from workflows_app.domain.config import Config
from workflows_app.domain.results import Backup, Content, Level
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext, Report

EPOCH = 1_700_000_000


@dataclass
class Calls:
    """Calls of a plugin with parameters, and what the last one said."""

    parameters: dict[str, str]
    said: list[tuple[Level, str]] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    on_line: Callable[[str], None] = lambda text: None
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"]})
    _switch: CancelSwitch = field(default_factory=CancelSwitch)

    def context(self, number: int = 7, **changes: str) -> PluginContext:
        """A call of backup run ``number``; ``changes`` to the parameters."""
        config = Config(profile_name="test", config_name="shop", auto_discovery=True)
        config = config.for_run(number, "daily", EPOCH + number)
        return self._context(config, RestoreRequest(), changes)

    def restore(
        self, number: int = 7, *, source: Path | None = None, target: str = "", **changes: str
    ) -> PluginContext:
        """A call of restore run 90, of the backup of ``number``, which was at ``source``."""
        contents = (Content(type="filesystem", source=str(source)),) if source else ()
        backup = Backup(
            name=f"shop-daily-{number}-1", policy="daily", workflow_id=str(number), contents=contents
        )
        config = Config(profile_name="test", config_name="shop").for_restore(90, backup, EPOCH + 90)
        return self._context(config, RestoreRequest(target=target), changes)

    def cancel(self) -> None:
        self._switch.cancel()

    def go_on(self) -> None:
        """Let the next call go on."""
        self._switch.take_back()

    def lines(self, *levels: Level) -> list[str]:
        return [text for level, text in self.said if level in (levels or (Level.INFO,))]

    def _context(self, config: Config, request: RestoreRequest, changes: dict[str, str]) -> PluginContext:
        self.said.clear()
        self.reports.clear()
        return PluginContext(
            config=config,
            parameters=self.parameters | changes,
            say=self._say,
            report=self.reports.append,
            cancelled=self._switch.cancelled,
            on_cancel=self._switch.on_cancel,
            environment=self.environment,
            restore=request,
        )

    def _say(self, level: Level, text: str) -> None:
        self.said.append((level, text))
        self.on_line(text)
