"""Makes a backup of a pod's files: a tar stream, unpacked on the way into the archive that is kept."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Backup, Level, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.archive import ARCHIVE_SUFFIX, ArchiveWriter
from workflows_app.plugins.filesystem.folder import (
    backups_folder,
    make_folder,
    partial_folder,
    remove_leftovers,
)
from workflows_app.plugins.filesystem.listing import contents
from workflows_app.plugins.filesystem.manifest import MANIFEST_SUFFIX, Footer, Header, ManifestWriter
from workflows_app.plugins.filesystem.output import OutputFile, writing
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.filesystem.verify import verify_written
from workflows_app.plugins.kubernetes.channels import Channel
from workflows_app.plugins.kubernetes.client import Cluster, connected
from workflows_app.plugins.kubernetes.exec import Execution, executing
from workflows_app.plugins.kubernetes.pods import Pod, find_pod
from workflows_app.plugins.kubernetes_files.complaints import Complaints
from workflows_app.plugins.kubernetes_files.incoming import Incoming, StreamBroken
from workflows_app.plugins.kubernetes_files.parameters import pod_sources
from workflows_app.plugins.kubernetes_files.tar_program import TarProgram, find_tar
from workflows_app.plugins.wording import files_words, shown, size_words


def make_backup(context: PluginContext) -> Result:
    """Archive the sources in the pod, verify the archive, and answer it in ``Result.backup``.

    The backup appears under its name complete and verified, or not at all: a stream that is cut off, or a tar
    that does not end with 0, is none. Raises ConfigInvalid, PluginFailed, or Cancelled; then nothing is left.
    """
    parameters = Parameters.of(context)
    sources = pod_sources(parameters)
    folder = backups_folder(parameters.destination, parameters.profile, parameters.config)
    with connected(context) as cluster:
        pod = find_pod(cluster, context.parameters, context.info)
        context.info(f"Performing backup for pod {pod.name}")
        context.info(
            f"Backup name is {parameters.name}, Backup path is {shown(str(folder / parameters.name))}"
        )
        tar = find_tar(context, cluster, pod)
        if not os.path.lexists(folder.parent.parent):
            context.warn(f"The destination {shown(str(folder.parent.parent))} does not exist; it is created")
        make_folder(folder)
        remove_leftovers(folder, context.warn)
        with partial_folder(folder, parameters.name, context.warn) as partial:
            run = _PodBackup(context, parameters, sources, partial.path)
            footer = run.make(cluster, pod, tar)
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


class _PodBackup:
    """Fills one partial folder from a pod."""

    def __init__(
        self, context: PluginContext, parameters: Parameters, sources: tuple[str, ...], folder: Path
    ) -> None:
        self._context = context
        self._parameters = parameters
        self._sources = sources
        self._folder = folder
        self._archive = folder / f"{parameters.name}{ARCHIVE_SUFFIX}"
        self._manifest = folder / f"{parameters.name}{MANIFEST_SUFFIX}"

    def make(self, cluster: Cluster, pod: Pod, tar: TarProgram) -> Footer:
        """Write the archive and the manifest, and answer its last line, which has been verified."""
        argv = tar.packing(self._sources)
        self._context.say(Level.CMD, f"Executing command [{' '.join(argv)}] {pod.where}")
        with writing(self._folder), executing(self._context, cluster, pod, argv) as process:
            written = self._copy(process, pod)
        return self._verify(written)

    def _copy(self, process: Execution, pod: Pod) -> Footer:
        parameters = self._parameters
        progress = Progress(self._context.report, "copying")
        header = Header(
            parameters.name, parameters.policy, parameters.workflow_id, parameters.epoch, self._sources
        )
        throttle = Throttle(parameters.bandwidth)

        def advance(size: int, files: int) -> None:
            self._context.check_cancelled()
            progress.advance(size, files)
            throttle.took(size, self._context.check_cancelled)

        with closing(OutputFile(self._archive)) as packed, closing(OutputFile(self._manifest)) as lines:
            archive = ArchiveWriter(packed, parameters.level, parameters.threads)
            manifest = ManifestWriter(lines, header)
            incoming = Incoming(self._sources, archive, manifest, advance)
            self._take(process, pod, incoming)
            progress.tell()
            archive.finish()
            footer = Footer(self._archive.name, packed.size, packed.sha256, incoming.files, incoming.bytes)
            manifest.finish(footer)
            packed.sync()
            lines.sync()
        return footer

    def _take(self, process: Execution, pod: Pod, incoming: Incoming) -> None:
        """Copy what the pod's tar writes, and make sure that it was all and went well."""
        complaints = Complaints(self._context)
        trouble: StreamBroken | None = None
        output = _output(process, complaints)
        try:
            incoming.copy(output)
        except StreamBroken as error:
            # When tar itself failed, that is the reason; its end is known once everything was read.
            trouble = error
            for _ in output:
                self._context.check_cancelled()
        complaints.close()
        if process.ended is not None and not process.ended.ok:
            last = f": {complaints.last}" if complaints.last else ""
            raise PluginFailed(
                f"The tar {pod.where} failed, {process.ended.reason}{last}. Nothing is "
                "kept of the backup. Check BackupSrcPaths, that the container's user may read them, and "
                "freeze the application while they are read"
            )
        if trouble:
            raise trouble
        incoming.check_sources()

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


def _output(process: Execution, complaints: Complaints) -> Iterator[bytes]:
    """What tar writes to its standard output; what it complains of is said."""
    for channel, piece in process.output():
        if channel is Channel.STDOUT:
            yield piece
        else:
            complaints.hear(piece)
