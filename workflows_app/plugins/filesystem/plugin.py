"""The storage plugin ``filesystem``: a verified, compressed tar archive of folders and files.

Kept are names, contents, holes, links, owners, permissions and times; not kept, as by GNU tar unless it is
told to, are extended attributes and access control lists.
"""

import os
from contextlib import ExitStack, closing
from pathlib import Path

from workflows_app.domain.file_listings import FileListing, FileQuery
from workflows_app.domain.results import Backup, Capability, PluginInfo, Result
from workflows_app.plugins.base import HOLDS, KEEP_RULES, PluginContext
from workflows_app.plugins.filesystem.archive import ARCHIVE_SUFFIX, ArchiveWriter
from workflows_app.plugins.filesystem.browsing import browse
from workflows_app.plugins.filesystem.copying import Copy
from workflows_app.plugins.filesystem.folder import (
    backups_folder,
    make_folder,
    partial_folder,
    remove_leftovers,
)
from workflows_app.plugins.filesystem.listing import contents, list_backups
from workflows_app.plugins.filesystem.manifest import MANIFEST_SUFFIX, Footer, Header, ManifestWriter
from workflows_app.plugins.filesystem.notices import Notices
from workflows_app.plugins.filesystem.output import OutputFile, writing
from workflows_app.plugins.filesystem.parameters import SPECS, Parameters, Place
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.restore import restore_backup
from workflows_app.plugins.filesystem.retention import delete_expired, delete_one
from workflows_app.plugins.filesystem.scan import Scan, Scanned
from workflows_app.plugins.filesystem.sources import resolve_sources
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.filesystem.verification import verify_backup
from workflows_app.plugins.filesystem.verify import verify_written
from workflows_app.plugins.filesystem.wording import files_words, shown, size_words


class FilesystemStorage:
    """A storage plugin that backs up folders and files which the worker can read."""

    def info(self) -> PluginInfo:
        """What the plugin is, can do and wants to know."""
        return PluginInfo(
            name="filesystem",
            description="Backs up folders and files into a verified, compressed tar archive with a manifest",
            version="1.0.0",
            type="storage",
            capabilities=tuple(
                Capability(name=name)
                for name in (
                    "backup",
                    "restore",
                    "backupList",
                    "backupDelete",
                    "backupDeleteWorkflow",
                    "backupVerify",
                    "backupBrowse",
                    HOLDS,
                    KEEP_RULES,
                    "info",
                )
            ),
            parameters=SPECS,
        )

    def backup(self, context: PluginContext) -> Result:
        """Archive the sources, verify the archive, and answer it in ``Result.backup``.

        The backup appears under its name complete and verified, or not at all. Raises ConfigInvalid,
        PluginFailed, or Cancelled; then nothing is left of it.
        """
        parameters = Parameters.of(context)
        folder = backups_folder(parameters.destination, parameters.profile, parameters.config)
        context.info("Performing filesystem backup")
        context.info(
            f"Backup name is {parameters.name}, Backup path is {shown(str(folder / parameters.name))}"
        )
        destination = folder.parent.parent
        sources = resolve_sources(parameters.sources, destination, folder, context.info)
        if not os.path.lexists(destination):
            context.warn(f"The destination {shown(str(destination))} does not exist; it is created")
        make_folder(folder)
        remove_leftovers(folder, context.warn)
        with partial_folder(folder, parameters.name, context.warn) as partial:
            footer = _BackupRun(context, parameters, sources, partial.path).make()
            partial.publish()
        context.info(
            f"Backup {parameters.name} completed: {files_words(footer.files)}, {size_words(footer.bytes)}, "
            f"archive {size_words(footer.size)}, verified"
        )
        return Result(
            backup=Backup(
                name=parameters.name,
                timestamp=str(parameters.epoch),
                epoch=parameters.epoch,
                policy=parameters.policy,
                workflow_id=parameters.workflow_id,
                contents=contents(sources, footer.file, footer.size),
            )
        )

    def backup_list(self, context: PluginContext) -> tuple[Backup, ...]:
        """The complete backups of the configuration, of every policy and ``BackupName``, the oldest first.

        Raises ConfigInvalid, or PluginFailed when any of them cannot be read.
        """
        place = Place.of(context)
        return list_backups(place.destination, place.profile, place.config)

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        """Delete the backups that the run's policy no longer keeps (see ``delete_expired``)."""
        return delete_expired(context)

    def backup_verify(self, context: PluginContext) -> Result:
        """Verify exactly ``context.config.backup``. Raises as ``verify_backup``."""
        return verify_backup(context)

    def backup_delete(self, context: PluginContext) -> Result:
        """Delete exactly ``context.config.backup``. Raises as ``delete_one``."""
        return delete_one(context)

    def backup_browse(self, context: PluginContext, query: FileQuery) -> FileListing:
        """The files that the manifest of ``context.config.backup`` tells of. Raises as ``browse``."""
        return browse(context, query)

    def restore(self, context: PluginContext) -> Result:
        """Restore exactly ``context.config.backup`` as ``context.restore`` asks. Raises as restore_backup."""
        return restore_backup(context)

    def mount(self, context: PluginContext) -> Result:
        """Say that there is nothing to mount: a backup is a folder of files already."""
        context.info("Mount not implemented or required")
        return Result()

    def unmount(self, context: PluginContext) -> Result:
        """Say that there is nothing to unmount."""
        context.info("Unmount not implemented or required")
        return Result()


class _BackupRun:
    """Fills one partial folder: looks, copies, verifies."""

    def __init__(
        self, context: PluginContext, parameters: Parameters, sources: tuple[str, ...], folder: Path
    ) -> None:
        self._context = context
        self._parameters = parameters
        self._sources = sources
        self._folder = folder
        self._archive = folder / f"{parameters.name}{ARCHIVE_SUFFIX}"
        self._manifest = folder / f"{parameters.name}{MANIFEST_SUFFIX}"
        self._notices = Notices(context.warn)

    def make(self) -> Footer:
        """Write the archive and the manifest, and answer its last line, which has been verified."""
        with ExitStack() as stack, writing(self._folder):
            written = self._copy(self._scan(stack))
        self._notices.close()
        return self._verify(written)

    def _scan(self, stack: ExitStack) -> list[Scanned]:
        """Look at all sources. The lists of names live as long as ``stack``. Raises OSError."""
        progress = Progress(self._context.report, "scanning")
        scan = Scan(self._folder, self._notices, progress, self._context.check_cancelled)
        found = []
        for source in self._sources:
            scanned = scan.look(source)
            stack.callback(scanned.names.close)
            found.append(scanned)
        progress.tell()
        scan.unreadable.refuse()
        for scanned in found:
            self._context.info(
                f"Backing up {files_words(scanned.files)}, {size_words(scanned.bytes)} from "
                f"{shown(scanned.source)}"
            )
        return found

    def _copy(self, scanned: list[Scanned]) -> Footer:
        """Write both files and have them on disk. Answers the manifest's last line."""
        parameters = self._parameters
        progress = Progress(
            self._context.report,
            "copying",
            sum(source.bytes for source in scanned),
            sum(source.files for source in scanned),
            self._context.info,
        )
        header = Header(
            parameters.name, parameters.policy, parameters.workflow_id, parameters.epoch, self._sources
        )
        with closing(OutputFile(self._archive)) as packed, closing(OutputFile(self._manifest)) as lines:
            archive = ArchiveWriter(packed, parameters.level, parameters.threads)
            manifest = ManifestWriter(lines, header)
            throttle = Throttle(parameters.bandwidth)
            copy = Copy(archive, manifest, self._notices, progress, throttle, self._context.check_cancelled)
            for source in scanned:
                copy.copy(source)
            progress.tell()
            self._context.check_cancelled()
            archive.finish()
            footer = Footer(self._archive.name, packed.size, packed.sha256, copy.files, copy.bytes)
            manifest.finish(footer)
            packed.sync()
            lines.sync()
        return footer

    def _verify(self, written: Footer) -> Footer:
        """Read the archive back from disk. Answers what was verified."""
        self._context.info(f"Verifying {self._archive.name}, {size_words(written.size)}")
        progress = Progress(self._context.report, "verifying", written.size)

        def advance(size: int) -> None:
            self._context.check_cancelled()
            progress.advance(size)

        footer = verify_written(self._archive, self._manifest, advance)
        progress.tell()
        return footer


plugin = FilesystemStorage()
