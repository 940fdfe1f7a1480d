"""The app plugin ``mariadb``: a whole server, by one of two methods.

``copy`` makes a physical copy that any storage plugin backs up (``by_copy``); ``hold`` keeps one session with
a lock open while a storage plugin takes an atomic snapshot of the server's own files (``by_hold``).
"""

from workflows_app.domain.findings import Finding
from workflows_app.domain.results import PluginInfo, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.mariadb.by_copy import ByCopy
from workflows_app.plugins.mariadb.by_hold import ByHold
from workflows_app.plugins.mariadb.held import HeldSessions, held_sessions
from workflows_app.plugins.mariadb.parameters import holds


class MariadbServer:
    """An app plugin for a whole MariaDB server; ``held`` are the sessions of the locks that it has."""

    def __init__(self, held: HeldSessions = held_sessions) -> None:
        self._copy = ByCopy()
        self._hold = ByHold(held)

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return self._copy.info()

    def discover(self, context: PluginContext) -> Result:
        """Answer the folder that is to be backed up. Raises ConfigInvalid, PluginFailed, Cancelled."""
        return self._method(context).discover(context)

    def quiesce(self, context: PluginContext) -> Result:
        """Make the copy, or take the lock. Raises ConfigInvalid, PluginFailed, Cancelled."""
        return self._method(context).quiesce(context)

    def unquiesce(self, context: PluginContext) -> Result:
        """Remove the copy, or give the lock back (see ``ByHold.unquiesce``). Raises as ``quiesce``."""
        return self._method(context).unquiesce(context)

    def pre_restore(self, context: PluginContext) -> Result:
        """Let no files of two servers be mixed. Raises as ``quiesce``."""
        return self._method(context).pre_restore(context)

    def post_restore(self, context: PluginContext) -> Result:
        """Look at what was restored, and say how it becomes a server. Raises as ``quiesce``."""
        return self._method(context).post_restore(context)

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """Try what a backup will need, and change nothing. Raises as ``quiesce``."""
        return self._method(context).check(context)

    def _method(self, context: PluginContext) -> ByCopy | ByHold:
        return self._hold if holds(context) else self._copy


plugin = MariadbServer()
