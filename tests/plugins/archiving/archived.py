"""Archives in tests: the backups of one configuration, and calls of an archive plugin for them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.plugins.filesystem.conftest import EPOCH, Storage
from workflows_app.domain.config import Config, Retention
from workflows_app.domain.results import Level, Result
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules
from workflows_app.plugins.base import FetchingArchivePlugin, PluginContext, Report


def name_of(number: int, policy: str = "daily", base: str = "shop") -> str:
    return f"{base}-{policy}-{number}-{EPOCH + number}"


@dataclass
class Archiving:
    """One archive plugin with its parameters, and what was said and reported by its last call."""

    storage: Storage
    plugin: FetchingArchivePlugin
    parameters: dict[str, str]
    said: list[tuple[Level, str]] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    on_line: Callable[[str], None] = lambda text: None
    cancelled: Callable[[], bool] = lambda: False

    def backup(self, number: int = 7, policy: str = "daily", **parameters: str) -> Path:
        """Make a backup with the storage plugin ``filesystem`` and answer its folder."""
        result = self.storage.backup(number, policy=policy, CompressionThreads="1", **parameters)
        return self.storage.folder / result.backup.name

    def make(self, *numbers: int, policy: str = "daily", base: str = "shop") -> None:
        """Back up and archive, once for each number."""
        for number in numbers:
            self.backup(number, policy, BackupName=base)
            assert self.archive(number, policy, base) == Result()

    def archive(self, number: int = 7, policy: str = "daily", base: str = "", **parameters: str) -> Result:
        return self.plugin.archive(self.context(number, policy, base, **parameters))

    def retain(
        self, keep: int, number: int, policy: str = "daily", base: str = "", rules: KeepRules = NO_RULES
    ) -> Result:
        """Do the archive retention of a run; -1 for a policy that has none."""
        retention = Retention(policy=policy, retention_number=keep, keep_rules=rules)
        retentions = (retention,) if keep != -1 else ()
        return self.plugin.archive_delete(self.context(number, policy, base, retentions))

    def fetch(self, name: str) -> Result:
        return self.plugin.fetch(self.context(90), name)

    def listed(self) -> list[str]:
        return [archive.name for archive in self.plugin.archive_list(self.context())]

    def context(
        self,
        number: int = 7,
        policy: str = "daily",
        base: str = "",
        retentions: tuple[Retention, ...] = (),
        **parameters: str,
    ) -> PluginContext:
        """The context of a run's call, with nothing said so far."""
        self.said.clear()
        self.reports.clear()
        storage = {"BackupDestPath": str(self.storage.destination), **({"BackupName": base} if base else {})}
        config = Config(
            profile_name="test",
            config_name="shop",
            archive_retentions=retentions,
            storage_plugin_parameters=storage,
        )
        return PluginContext(
            config=config.for_run(number, policy, EPOCH + number),
            parameters={**self.parameters, **parameters},
            say=self._say,
            report=self.reports.append,
            cancelled=lambda: self.cancelled(),
        )

    def lines(self, level: Level = Level.INFO) -> list[str]:
        return [text for said, text in self.said if said == level]

    def cancel_when_reported(self, note: str, size: int = 0) -> None:
        """Cancel once a phase has reported so many bytes, or has begun."""
        self.cancelled = lambda: any(r.note == note and r.done_bytes >= size for r in self.reports)

    def _say(self, level: Level, text: str) -> None:
        self.said.append((level, text))
        self.on_line(text)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Each file below a folder with its bytes, each folder with None."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }
