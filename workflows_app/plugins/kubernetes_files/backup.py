"""Makes a backup of a pod's files: a tar stream, unpacked on the way into the archive that is kept."""

import os
from collections.abc import Iterator
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.archive import ArchiveWriter
from workflows_app.plugins.filesystem.archive_file import ArchiveFile
from workflows_app.plugins.filesystem.folder import (
    backups_folder,
    make_folder,
    partial_folder,
    remove_leftovers,
)
from workflows_app.plugins.filesystem.made import made
from workflows_app.plugins.filesystem.manifest import Footer, Header, ManifestWriter
from workflows_app.plugins.filesystem.output import writing
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.kubernetes.channels import Channel
from workflows_app.plugins.kubernetes.client import Cluster, connected
from workflows_app.plugins.kubernetes.exec import Execution, executing
from workflows_app.plugins.kubernetes.pods import Pod, find_pod
from workflows_app.plugins.kubernetes_files.complaints import Complaints
from workflows_app.plugins.kubernetes_files.incoming import Incoming, StreamBroken
from workflows_app.plugins.kubernetes_files.parameters import pod_sources
from workflows_app.plugins.kubernetes_files.tar_program import TarProgram, find_tar
from workflows_app.plugins.wording import shown


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
        header = Header(parameters.name, parameters.policy, parameters.workflow_id, parameters.epoch, sources)
        with partial_folder(folder, parameters.name, context.warn) as partial:
            footer = _PodBackup(context, parameters, header, partial.path).make(cluster, pod, tar)
            partial.publish()
    return made(context, header, footer)


class _PodBackup:
    """Fills one partial folder from a pod."""

    def __init__(self, context: PluginContext, parameters: Parameters, header: Header, folder: Path) -> None:
        self._context = context
        self._parameters = parameters
        self._header = header
        self._folder = folder

    def make(self, cluster: Cluster, pod: Pod, tar: TarProgram) -> Footer:
        """Write the archive and the manifest, and answer its last line, which has been verified."""
        argv = tar.packing(self._header.sources)
        self._context.say(Level.CMD, f"Executing command [{' '.join(argv)}] {pod.where}")
        with ArchiveFile(self._context, self._parameters, self._folder) as file:
            with writing(self._folder), executing(self._context, cluster, pod, argv) as process:
                written = file.write(
                    self._header, lambda archive, manifest: self._copy(process, pod, archive, manifest)
                )
            return file.verify(written)

    def _copy(
        self, process: Execution, pod: Pod, archive: ArchiveWriter, manifest: ManifestWriter
    ) -> Incoming:
        progress = Progress(self._context.report, "copying")
        throttle = Throttle(self._parameters.bandwidth)

        def advance(size: int, files: int) -> None:
            self._context.check_cancelled()
            progress.advance(size, files)
            throttle.took(size, self._context.check_cancelled)

        incoming = Incoming(self._header.sources, archive, manifest, advance)
        self._take(process, pod, incoming)
        progress.tell()
        return incoming

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


def _output(process: Execution, complaints: Complaints) -> Iterator[bytes]:
    """What tar writes to its standard output; what it complains of is said."""
    for channel, piece in process.output():
        if channel is Channel.STDOUT:
            yield piece
        else:
            complaints.hear(piece)
