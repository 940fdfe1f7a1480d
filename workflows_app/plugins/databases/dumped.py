"""What the plugins share that dump a database, and load a dump into one."""

from abc import abstractmethod
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.staged import P, StagedDatabase
from workflows_app.plugins.staging.folder import Staging
from workflows_app.plugins.staging.restored import restored_folders
from workflows_app.plugins.wording import shown


class DumpedDatabase(StagedDatabase[P]):
    """An app plugin with a logical dump.

    ``folder`` is the parameter of its place; ``files`` are the names by one of which it is recognised there.
    """

    made = "dump"
    folder: str
    files: tuple[str, ...]

    @abstractmethod
    def load(self, context: PluginContext, parameters: P, path: Path) -> None:
        """Load a restored dump. Raises ConfigInvalid, PluginFailed, Cancelled; each says what that left."""

    def dump_at(self, file: Path) -> Path:
        """The dump that was recognised by ``file``: that file itself, where a dump is one."""
        return file

    def post_restore(self, context: PluginContext) -> Result:
        """Load the restored dump (see ``load``, also for what is raised).

        The dump is then removed again from its original place; from another target it is not.
        """
        parameters = self.read(context)
        staging = self.staging(context, parameters, context.config.backup.workflow_id)
        file = self._find(context, staging)
        path = self.dump_at(file)
        self.load(context, parameters, path)
        if context.restore.target:
            context.info(f"The dump stays at {shown(str(path))}")
        elif file.parent == staging.path:
            try:
                staging.discard()
            except PluginFailed as error:
                context.warn(f"The dump stays: {error}")
        else:
            context.warn(
                f"The dump stays at {shown(str(path))}: that is not below {self.folder}. Remove it by hand"
            )
        return Result()

    def _find(self, context: PluginContext, staging: Staging) -> Path:
        """The file that marks the dump which the storage plugin restored.

        It is below ``context.restore.target`` when that is given. Raises PluginFailed when there is none.
        """
        folders = restored_folders(context, staging)
        for place in (folder / name for folder in folders for name in self.files):
            if place.exists() and not place.is_symlink():
                return place
        raise PluginFailed(
            f"There is no dump in {shown(str(folders[0]))} after the restore: the backup was made without "
            f"automatic discovery, or with another {self.folder}, or on another worker"
        )
