"""What of the sources a backup takes: patterns, mounted filesystems, and how quickly files are looked at."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.parameter_kinds import FLAG, number
from workflows_app.domain.results import ParameterSpec
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.exclude import Excludes, PatternInvalid
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.filesystem.walk import Entry
from workflows_app.plugins.values import flag, whole_number
from workflows_app.plugins.wording import shown

# How many paths are named, of each kind.
NAMED = 20
_MOST_FILES = 1_000_000

SELECTION_SPECS = (
    ParameterSpec(
        name="Exclude",
        help="What is left out: patterns as in a .gitignore, separated by commas. '*.tmp' means that name "
        "anywhere, '/cache' only at the top of a source, 'logs/' only folders, '**/' any folders on the way.",
    ),
    ParameterSpec(
        name="OneFileSystem",
        help="true: what is mounted inside of a source is left out, its mount point is kept as an empty "
        "folder. false: it is backed up, too.",
        default="false",
        form=FLAG,
    ),
    ParameterSpec(
        name="FilesPerSecond",
        help="How many files and folders are looked at in a second at most, to spare a busy disk. Each is "
        "looked at twice, to count and to copy. Empty: no limit.",
        form=number(1, _MOST_FILES),
    ),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What the parameters say. ``files_per_second`` is None for no limit."""

    excludes: Excludes
    one_file_system: bool
    files_per_second: int | None

    @classmethod
    def of(cls, context: PluginContext) -> "Selection":
        """Read the parameters of a call. Raises ConfigInvalid, which names the one that is refused."""
        given = context.parameters
        try:
            excludes = Excludes.of(given.get("Exclude", ""))
        except PatternInvalid as error:
            raise ConfigInvalid("Exclude", str(error)) from None
        pace = given.get("FilesPerSecond", "").strip()
        return cls(
            excludes,
            flag("OneFileSystem", given.get("OneFileSystem", ""), default=False),
            whole_number("FilesPerSecond", pace, 1, _MOST_FILES) if pace else None,
        )


@dataclass(slots=True)
class LeftOut:
    """What the rules of a walk left out: the first ones by name, and how many."""

    what: str
    named: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, path: str) -> None:
        """Count one more."""
        self.count += 1
        if self.count <= NAMED:
            self.named.append(shown(path))

    def tell(self, say: Callable[[str], None]) -> None:
        """Say what was left out, if anything was."""
        if self.count:
            more = f" and {self.count - NAMED} more" if self.count > NAMED else ""
            say(f"{self.what}: {', '.join(self.named)}{more}")


class SourceRules:
    """The rules by which one ``source`` (an absolute, real path) is walked.

    Looking at entries is slowed down as ``selection`` says; raises what ``check_cancelled`` raises.
    """

    def __init__(self, source: str, selection: Selection, check_cancelled: Callable[[], None]) -> None:
        self._prefix = len(source.rstrip("/")) + 1
        self._excludes = selection.excludes
        self._device = _device(source) if selection.one_file_system else None
        self._pace = Throttle(selection.files_per_second)
        self._check_cancelled = check_cancelled
        self.excluded = LeftOut("Left out by Exclude")
        self.mounted = LeftOut("Left out by OneFileSystem, for another filesystem is mounted there")

    def keeps(self, entry: Entry) -> bool:
        """Whether the entry belongs to the backup; what is in a folder that does not, neither does."""
        self._pace.took(1, self._check_cancelled)
        if not self._excludes.patterns:
            return True
        path = entry.path[self._prefix :]
        # The source itself was asked for by name.
        if not path or not self._excludes.fits(path, entry.name, entry.is_directory):
            return True
        self.excluded.add(entry.path)
        return False

    def enters(self, entry: Entry) -> bool:
        """Whether what is in the folder belongs to the backup."""
        # Of files it tells nothing: on an overlay they have another device than their folder.
        if self._device is None or entry.stat.st_dev == self._device:
            return True
        self.mounted.add(entry.path)
        return False

    def tell(self, say: Callable[[str], None]) -> None:
        """Say what was left out so far."""
        self.excluded.tell(say)
        self.mounted.tell(say)


def _device(source: str) -> int | None:
    """The filesystem of a source; None when it is gone, which the walk tells."""
    try:
        return os.lstat(source).st_dev
    except OSError:
        return None
