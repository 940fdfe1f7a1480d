"""What an executable tells of itself with ``--info``, beyond what Fossul asks."""

from enum import StrEnum

from workflows_app.domain.results import PluginInfo

INFO = "info"
RESTORE_TARGET = "restoreTarget"
RESTORE_DRY_RUN = "restoreDryRun"


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

        The two capabilities that Fossul does not know are had by those alone that declare them.
        """
        names = {declared.name for declared in self.capabilities}
        if capability in (RESTORE_TARGET, RESTORE_DRY_RUN):
            return capability in names
        return not names - {INFO} or capability in names

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the parameters that it declares secret."""
        return frozenset(parameter.name for parameter in self.parameters if parameter.secret)
