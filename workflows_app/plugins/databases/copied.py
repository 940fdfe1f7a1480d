"""What the plugins share that copy a server's files, and verify a copy that was restored."""

import os
from abc import abstractmethod
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.staged import P, StagedDatabase
from workflows_app.plugins.staging.restored import restored_folders
from workflows_app.plugins.wording import shown


class CopiedServer(StagedDatabase[P]):
    """An app plugin with a physical copy. It stops no server and replaces no data folder.

    ``folder`` is the parameter of the copy's place, ``data`` the entry there that is the data folder;
    ``restored`` and ``owners`` are words for what comes back and whose files may not be mixed, and
    ``how_to_run`` says how it becomes a server.
    """

    made = "copy"
    folder: str
    data: str
    restored: str
    owners: str
    how_to_run: str

    @abstractmethod
    def verify(self, context: PluginContext, parameters: P, place: Path) -> None:
        """Hold a restored copy against what it was. Raises PluginFailed."""

    def pre_restore(self, context: PluginContext) -> Result:
        """Check that the place of the copy is free. Raises ConfigInvalid, PluginFailed.

        A restore leaves files that are not in the backup, and a server must have none of another.
        """
        place = self._place(context, self.read(context))
        if os.path.lexists(place):
            raise PluginFailed(
                f"{shown(str(place))} is there already: the files of two {self.owners} would be mixed. "
                "Remove it, or restore to another target"
            )
        context.info(f"The {self.restored} is restored to {shown(str(place))}; no server is touched")
        return Result()

    def post_restore(self, context: PluginContext) -> Result:
        """Verify the restored copy, and say how it becomes a server. Raises ConfigInvalid, PluginFailed."""
        parameters = self.read(context)
        place = self._place(context, parameters)
        what = f"The {self.restored} in {shown(str(place))}"
        if not place.is_dir():
            raise PluginFailed(
                f"There is no {self.restored} in {shown(str(place))} after the restore: the backup was made "
                f"without automatic discovery, or with another {self.folder}"
            )
        try:
            self.verify(context, parameters, place)
        except PluginFailed as error:
            raise PluginFailed(f"{what} is not as it was: {error}") from None
        context.info(f"{what} is complete. To run it: {self.how_to_run}")
        return Result()

    def _place(self, context: PluginContext, parameters: P) -> Path:
        """Where the storage plugin puts the copy back: below ``context.restore.target`` when given."""
        own = self.staging(context, parameters, context.config.backup.workflow_id)
        return restored_folders(context, own)[0] / self.data
