"""What a plugin is: three families, each a Protocol, and the context that every call is given.

A plugin reads no settings, knows no Django and no Temporal. It is asked through one method per action,
speaks through ``context.say``, reports through ``context.report``, and answers a ``Result``. To say no
it raises PluginFailed with words for the operator; anything else that it raises counts as a crash.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Protocol, runtime_checkable

from workflows_app.domain.config import Config
from workflows_app.domain.errors import Cancelled
from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.findings import Finding
from workflows_app.domain.results import Archive, Backup, Level, PluginInfo, Result
from workflows_app.domain.retention.keep_rules import CAPABILITY
from workflows_app.domain.runs.restores import RestoreRequest

HOLDS = "holds"
"""The capability of a plugin whose retention asks ``PluginContext.held``. One without it is not asked to do
its retention while anything of the configuration is held."""

KEEP_RULES = CAPABILITY
"""The capability of a storage plugin whose retention obeys ``Config.keep_rules_of``, and of an archive plugin
whose obeys ``Config.archive_keep_rules_of``. One without it is not asked to do the retention of a policy that
has such rules."""


VERIFY, DELETE, BROWSE, FETCH = "backupVerify", "backupDelete", "backupBrowse", "archiveFetch"
"""The capabilities of the Protocols below that Fossul does not have, or not for one backup."""


@dataclass(frozen=True, slots=True)
class Report:
    """How far a step is. Sizes in bytes; 0 totals mean that the total is not known."""

    done_bytes: int = 0
    total_bytes: int = 0
    done_files: int = 0
    total_files: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class PluginContext:
    """One call of a plugin.

    ``config`` is the run's configuration, ``parameters`` the plugin's own, with references already
    resolved. ``say`` writes one log line at once; ``report`` replaces the progress shown; ``cancelled``
    tells whether the call should end; ``on_cancel`` takes a function to call (from another thread) as
    soon as it should, and answers one that takes it back. ``environment`` is what a child process may
    inherit: the worker's own, less its credentials. ``held`` answers the names of the backups that nothing
    may delete, as they are at that moment: to be asked right before each deletion. It raises PluginFailed
    when that cannot be found out; then nothing may be deleted. ``relies_on_freeze`` says of an unquiesce that
    quiesce succeeded, and that the run goes on with what was copied since: an application that is found not
    to have been frozen until now must fail it. It is False where the run is given up.
    """

    config: Config
    parameters: Mapping[str, str]
    say: Callable[[Level, str], None]
    report: Callable[[Report], None] = lambda report: None
    cancelled: Callable[[], bool] = lambda: False
    on_cancel: Callable[[Callable[[], None]], Callable[[], None]] = lambda stop: lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    restore: RestoreRequest = field(default_factory=RestoreRequest)
    held: Callable[[], frozenset[str]] = lambda: frozenset()
    relies_on_freeze: bool = False

    def check_cancelled(self) -> None:
        """Raise Cancelled when the call should end: to be called between two pieces of work."""
        if self.cancelled():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait that long, or until the call should end: then it raises Cancelled at once."""
        over = Event()
        take_back = self.on_cancel(over.set)
        try:
            over.wait(seconds)
        finally:
            take_back()
        self.check_cancelled()

    def to_the_end(self) -> "PluginContext":
        """The same call for work that a cancelled one must not leave undone: no cancelling reaches it."""
        return replace(self, cancelled=lambda: False, on_cancel=lambda stop: lambda: None)

    def info(self, text: str) -> None:
        """Say ``text`` at level INFO."""
        self.say(Level.INFO, text)

    def warn(self, text: str) -> None:
        """Say ``text`` at level WARN."""
        self.say(Level.WARN, text)


@runtime_checkable
class AppPlugin(Protocol):
    """A plugin that finds, freezes and thaws an application."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""

    def discover(self, context: PluginContext) -> Result:
        """Find the paths of the application's data and logs; answer them in ``Result.discover_list``."""

    def quiesce(self, context: PluginContext) -> Result:
        """Freeze the application so that what is on its disks is consistent."""

    def unquiesce(self, context: PluginContext) -> Result:
        """Thaw the application. May be called for one that is not frozen, and more than once."""

    def pre_restore(self, context: PluginContext) -> Result:
        """Make the application ready for its data to be replaced."""

    def post_restore(self, context: PluginContext) -> Result:
        """Let the application take up its restored data."""


@runtime_checkable
class StoragePlugin(Protocol):
    """A plugin that makes and keeps backups."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""

    def backup(self, context: PluginContext) -> Result:
        """Make the run's backup, verify it, and answer it in ``Result.backup``.

        Nothing that looks like a good backup may stay behind when this raises.
        """

    def backup_list(self, context: PluginContext) -> tuple[Backup, ...]:
        """The good backups of the configuration, of every policy.

        Raises PluginFailed when they cannot be read: empty means that there are none.
        """

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        """Retention: delete the backups that the run's policy no longer keeps (``retention.retention``).

        Acts only on a list that it could read. Never deletes the policy's newest backup, nor the run's
        own, nor one of another policy or configuration. A backup that cannot be deleted is told at level
        ERROR, ends the work, and makes the code 1; it is then either whole, or in no list any more.
        """

    def restore(self, context: PluginContext) -> Result:
        """Restore exactly the backup ``context.config.backup`` as ``context.restore`` asks.

        Verifies it before anything is touched. A dry run changes nothing and says what would be changed.
        """

    def mount(self, context: PluginContext) -> Result:
        """Make the run's backup readable as files for the archive plugin, where that needs anything."""

    def unmount(self, context: PluginContext) -> Result:
        """Undo ``mount``. May be called for what is not mounted, and more than once."""


@runtime_checkable
class ArchivePlugin(Protocol):
    """A plugin that copies backups to second storage."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""

    def archive(self, context: PluginContext) -> Result:
        """Copy the run's backup to second storage."""

    def archive_list(self, context: PluginContext) -> tuple[Archive, ...]:
        """The good archives of the configuration, of every policy.

        Raises PluginFailed when they cannot be read: empty means that there are none.
        """

    def archive_delete(self, context: PluginContext) -> Result:
        """Retention: delete the archives that the run's policy no longer keeps.

        Promises for archives what ``StoragePlugin.backup_delete_workflow`` does for backups.
        """


@runtime_checkable
class FetchingArchivePlugin(ArchivePlugin, Protocol):
    """An archive plugin that can bring backups back; Fossul's have no such action."""

    def fetch(self, context: PluginContext, name: str) -> Result:
        """Copy the archive ``name`` back to where the storage plugin keeps backups, and answer its backup.

        It is there complete and verified, so that ``StoragePlugin.restore`` can restore it, or not at all.
        """


@runtime_checkable
class VerifyingStoragePlugin(StoragePlugin, Protocol):
    """A storage plugin that can verify a backup that it has; Fossul's have no such action.

    It promises that every backup was verified when it was made.
    """

    def backup_verify(self, context: PluginContext) -> Result:
        """Hold exactly the backup ``context.config.backup`` against what it was when it was made.

        Changes nothing. Raises PluginFailed, with what is wrong and where, for one that is damaged or gone.
        """


@runtime_checkable
class DeletingStoragePlugin(StoragePlugin, Protocol):
    """A storage plugin that can delete one backup by its name."""

    def backup_delete(self, context: PluginContext) -> Result:
        """Delete exactly the backup ``context.config.backup``, damaged or not.

        Raises PluginFailed when it is held or not there. One that cannot be deleted is told at level ERROR,
        with code 1; it is then either whole, or in no list any more.
        """


@runtime_checkable
class BrowsableStoragePlugin(StoragePlugin, Protocol):
    """A storage plugin that can tell which files a backup holds."""

    def backup_browse(self, context: PluginContext, query: FileQuery) -> FileListing:
        """Answer a page of the files of exactly the backup ``context.config.backup``.

        Reads nothing but the backup, whatever ``query`` says. Raises PluginFailed when it cannot be read.
        """


@runtime_checkable
class CheckingPlugin(Protocol):
    """A plugin of any family that can try beforehand what a run will need; Fossul's have no such action."""

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try to reach and read what a run would: the server, the source, the target, the programs.

        ``context.config`` tells of no run. Changes nothing that stays, freezes nothing, and takes seconds.
        Answers what was found, the good as well; raises PluginFailed or ConfigInvalid for what makes any
        further look pointless.
        """


@runtime_checkable
class DeclaringPlugin(Protocol):
    """A plugin whose methods alone do not say what it can do: an executable can what it declares."""

    def declares(self, capability: str) -> bool:
        """Whether it says that it can do that, by one of the constants here."""
