"""Executables as plugins of the three families: Fossul's "basic plugins" (fossul-behaviour.md §7.2)."""

from dataclasses import replace
from pathlib import Path

from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.findings import Finding, unknown
from workflows_app.domain.results import Archive, Backup, PluginInfo, Result
from workflows_app.domain.runs.restores import RESTORE_FILES
from workflows_app.plugins.base import BROWSE, DELETE, FETCH, HOLDS, VERIFY, PluginContext
from workflows_app.plugins.basic.answers import DiscoverAnswer
from workflows_app.plugins.basic.description import (
    CHECK,
    RESTORE_DRY_RUN,
    RESTORE_TARGET,
    Description,
    Extension,
)
from workflows_app.plugins.basic.program import Program


class _Basic:
    """What the families share."""

    def __init__(self, path: Path, family: str) -> None:
        self.program = Program(path, family)

    def info(self) -> PluginInfo:
        """What the executable answers to ``--info``. Raises PluginFailed with the cause."""
        return self.program.describe()

    def declares(self, capability: str) -> bool:
        """Whether ``--info`` names the capability; not where it cannot be asked."""
        try:
            return self.program.describe().can(capability)
        except PluginFailed:
            return False

    def check(self, context: PluginContext) -> tuple[Finding, ...]:
        """``--check``, for an executable that declares it: Fossul's have no such flag.

        Raises PluginFailed for anything but a JSON array of findings.
        """
        description = self.program.extras(context)
        if not description.can(CHECK):
            return (unknown("What it needs cannot be tried beforehand: it does not declare 'check'"),)
        return self.program.ask(CHECK, context, description, tuple[Finding, ...], "Check failed")

    def _act(self, action: str, context: PluginContext) -> Result:
        """Run an action that the executable can do. Raises PluginFailed when it declares others only."""
        return self.program.act(action, context, self._able(action, context))

    def _able(self, action: str, context: PluginContext) -> Description:
        description = self.program.extras(context)
        if not description.can(action):
            raise PluginFailed(
                f"The plugin {self.program.path} does not declare the capability {action!r}, so it was not "
                f"called. If it can do that, let its --info name the capability."
            )
        return description

    def _act_if_able(self, action: str, context: PluginContext, otherwise: str) -> Result:
        """Run an action that many plugins have no need of: one that does not declare it has nothing to do."""
        description = self.program.extras(context)
        if description.can(action):
            return self.program.act(action, context, description)
        context.info(otherwise)
        return Result()


class BasicApp(_Basic):
    """An executable that finds, freezes and thaws an application."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "app")

    def discover(self, context: PluginContext) -> Result:
        """``--discover``: as in Fossul the code within the answer counts, not the exit status."""
        answer = self.program.ask(
            "discover",
            context,
            self._able("discover", context),
            DiscoverAnswer,
            "Discover failed",
            status_counts=False,
        )
        return answer.result.model_copy(update={"discover_list": answer.discover_list})

    def quiesce(self, context: PluginContext) -> Result:
        """``--quiesce``."""
        return self._act("quiesce", context)

    def unquiesce(self, context: PluginContext) -> Result:
        """``--unquiesce``, whatever the executable declares: a thaw is never left out."""
        return self.program.act("unquiesce", context, self.program.extras(context))

    def pre_restore(self, context: PluginContext) -> Result:
        """``--preRestore``, where it is declared: Fossul's plugins without it do nothing."""
        return self._act_if_able("preRestore", context, "Pre restore not implemented or required")

    def post_restore(self, context: PluginContext) -> Result:
        """``--postRestore``, where it is declared."""
        return self._act_if_able("postRestore", context, "Post restore not implemented or required")


class BasicStorage(_Basic):
    """An executable that makes and keeps backups."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "storage")

    def backup(self, context: PluginContext) -> Result:
        """``--backup``; ``Result.backup`` is what a line ``BACKUP`` told, if the executable has that."""
        return self._act("backup", context)

    def backup_list(self, context: PluginContext) -> tuple[Backup, ...]:
        """``--backupList``. Raises PluginFailed for anything but a JSON array of backups."""
        description = self._able("backupList", context)
        return self.program.ask("backupList", context, description, tuple[Backup, ...], "BackupList failed")

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        """``--backupDeleteWorkflow``. Raises ConfigInvalid for a retention at which Fossul's delete all."""
        keep = context.config.selected_backup_retention
        if keep < 1:
            raise ConfigInvalid(
                "retentionNumber",
                f"{keep} is not how many backups of policy {context.config.selected_backup_policy!r} to "
                "keep, and nothing was deleted: give the policy a whole number from 1",
            )
        description = self._able("backupDeleteWorkflow", context)
        return self.program.act("backupDeleteWorkflow", context, description, _holds(context, description))

    def backup_verify(self, context: PluginContext) -> Result:
        """``--backupVerify`` of the backup ``SelectedBackup``. Raises PluginFailed when it says no."""
        return self._point(VERIFY, context)

    def backup_delete(self, context: PluginContext) -> Result:
        """``--backupDelete`` of the backup ``SelectedBackup``, unless it is held (PluginFailed)."""
        name = context.config.backup.name
        if name in context.held():
            raise PluginFailed(f"The backup {name} is held: release the hold first")
        return self._point(DELETE, context)

    def backup_browse(self, context: PluginContext, query: FileQuery) -> FileListing:
        """``--backupBrowse``: a page of files as one JSON document. Raises PluginFailed for anything else."""
        asked = {
            "BrowseFolder": query.folder,
            "BrowseSearch": query.search,
            "BrowseOffset": str(query.offset),
            "BrowseLimit": str(query.limit),
        }
        return self.program.ask(
            BROWSE,
            _selecting(context),
            self._able(BROWSE, context),
            FileListing,
            "BackupBrowse failed",
            more=_point(context) | asked,
        )

    def _point(self, action: str, context: PluginContext) -> Result:
        result = self.program.act(action, _selecting(context), self._able(action, context), _point(context))
        if result.code and action == VERIFY:
            raise PluginFailed(
                f"The plugin {self.program.path} says that {context.config.backup.name} is not good"
            )
        return result

    def restore(self, context: PluginContext) -> Result:
        """``--restore``. Raises PluginFailed, with nothing touched, for what the executable cannot obey.

        Fossul's protocol has no dry run and no target, and knows a backup by the run that made it.
        """
        description = self._able("restore", context)
        name = f"The plugin {self.program.path}"
        if context.restore.dry_run and not description.can(RESTORE_DRY_RUN):
            raise PluginFailed(
                f"{name} has no dry run (it does not declare the capability {RESTORE_DRY_RUN!r}), and "
                "nothing was touched"
            )
        if context.restore.target and not description.can(RESTORE_TARGET):
            raise PluginFailed(
                f"{name} restores to where a backup came from only (it does not declare the capability "
                f"{RESTORE_TARGET!r}), and nothing was touched: leave the target empty"
            )
        if context.restore.files and not description.can(RESTORE_FILES):
            raise PluginFailed(
                f"{name} restores whole backups only (it does not declare the capability {RESTORE_FILES!r}), "
                "and nothing was touched"
            )
        told = description.wants(Extension.VARIABLES) or description.wants(Extension.STDIN)
        if context.config.selected_workflow_id < 1 and not told:
            raise PluginFailed(
                f"{name} finds a backup by its run's number, and {context.config.backup.name!r} has none"
            )
        return self.program.act("restore", context, description)

    def mount(self, context: PluginContext) -> Result:
        """``--mount``, where it is declared."""
        return self._act_if_able("mount", context, "Mount not implemented or required")

    def unmount(self, context: PluginContext) -> Result:
        """``--unmount``, where it is declared."""
        return self._act_if_able("unmount", context, "Unmount not implemented or required")


class BasicArchive(_Basic):
    """An executable that copies backups to second storage."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "archive")

    def archive(self, context: PluginContext) -> Result:
        """``--archive``."""
        return self._act("archive", context)

    def archive_list(self, context: PluginContext) -> tuple[Archive, ...]:
        """``--archiveList``. Raises PluginFailed for anything but a JSON array of archives."""
        description = self._able("archiveList", context)
        return self.program.ask(
            "archiveList", context, description, tuple[Archive, ...], "ArchiveList failed"
        )

    def archive_delete(self, context: PluginContext) -> Result:
        """``--archiveDelete``, for a policy that says how many archives it keeps.

        For one that does not nothing is deleted: Fossul's plugins would delete all.
        """
        config = context.config
        if config.selected_archive_retention < 1:
            context.info(
                f"Archive deletion skipped, policy {config.selected_backup_policy!r} does not say how many "
                "archives it keeps"
            )
            return Result()
        description = self._able("archiveDelete", context)
        return self.program.act("archiveDelete", context, description, _holds(context, description))

    def fetch(self, context: PluginContext, name: str) -> Result:
        """``--archiveFetch`` of the archive ``SelectedArchive``; a line ``BACKUP`` tells what is back."""
        return self.program.act(FETCH, context, self._able(FETCH, context), {"SelectedArchive": name})


def _point(context: PluginContext) -> dict[str, str]:
    """Which backup is worked on: needed whether or not the executable asks for more variables."""
    return {"SelectedBackup": context.config.backup.name}


def _selecting(context: PluginContext) -> PluginContext:
    """The call with Fossul's number of the run that made the backup, where that is one."""
    number = context.config.backup.workflow_id
    if not number.isdecimal():
        return context
    return replace(context, config=context.config.model_copy(update={"selected_workflow_id": int(number)}))


def _holds(context: PluginContext, description: Description) -> dict[str, str]:
    """The names that nothing may delete, for one that declares that it spares them."""
    return {"HeldBackups": " ".join(sorted(context.held()))} if description.can(HOLDS) else {}
