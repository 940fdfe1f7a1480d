"""What an executable tells of itself with ``--info``, beyond what Fossul asks."""

from enum import StrEnum

from workflows_app.domain.results import PluginInfo
from workflows_app.domain.runs.restores import RESTORE_FILES
from workflows_app.plugins.base import BROWSE, DELETE, FETCH, HOLDS, VERIFY

INFO = "info"
CHECK = "check"
RESTORE_TARGET = "restoreTarget"
RESTORE_DRY_RUN = "restoreDryRun"

# Fossul's executables have a --backupDelete that is never called: none is taken at its word for it.
_UNKNOWN_TO_FOSSUL = (
    CHECK, RESTORE_TARGET, RESTORE_DRY_RUN, RESTORE_FILES, VERIFY, DELETE, BROWSE, FETCH, HOLDS,
)  # fmt: skip


class Extension(StrEnum):
    """What an executable may ask for beyond Fossul's protocol (docs/plugins/writing-a-plugin.md)."""

    VARIABLES = "variables"
    STDIN = "stdin"
    PROGRESS = "progress"
    BACKUP = "backup"


class Description(PluginInfo):
    """The answer to ``--info``. Unknown ``extensions`` are left alone: a later version may know them."""

    omit_empty = PluginInfo.omit_empty | {"extensions"}

    extensions: tuple[str, ...] = ()

    def wants(self, extension: Extension) -> bool:
        """Whether the executable opts in to an extension."""
        return extension in self.extensions

    def can(self, capability: str) -> bool:
        """Whether it declares the capability; one that declares none at all is taken at Fossul's word: yes.

        The capabilities that Fossul does not know are had by those alone that declare them.
        """
        names = {declared.name for declared in self.capabilities}
        if capability in _UNKNOWN_TO_FOSSUL:
            return capability in names
        return not names - {INFO} or capability in names

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the parameters that it declares secret."""
        return frozenset(parameter.name for parameter in self.parameters if parameter.secret)
