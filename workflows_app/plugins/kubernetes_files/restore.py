"""Restores a backup into a pod: verifies it, and streams it into the pod's tar, or says what would change."""

from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.stored import find_backup
from workflows_app.plugins.filesystem.verification import verify_stored
from workflows_app.plugins.kubernetes.channels import Channel, Ended
from workflows_app.plugins.kubernetes.client import Cluster, connected
from workflows_app.plugins.kubernetes.exec import Execution, executing, run_in_pod
from workflows_app.plugins.kubernetes.pods import Pod, find_pod
from workflows_app.plugins.kubernetes_files.complaints import Complaints
from workflows_app.plugins.kubernetes_files.outgoing import Outgoing
from workflows_app.plugins.kubernetes_files.parameters import restore_root
from workflows_app.plugins.kubernetes_files.preview import tell_preview
from workflows_app.plugins.kubernetes_files.selection import Selection
from workflows_app.plugins.kubernetes_files.tar_program import find_tar
from workflows_app.plugins.wording import files_words, shown

# Where input cannot be ended (v4.channel.k8s.io), tar is given exactly as much as there is. The size and the
# target are arguments of the script, not part of its text.
_BOUNDED = 'head -c "$1" | { shift; exec "$@"; }'


class _EndedEarly(Exception):
    """The pod's tar ended before it had everything."""


def restore_into_pod(context: PluginContext) -> Result:
    """Restore ``context.config.backup`` to its paths in the pod, or below another folder there.

    That is ``context.restore.target``, else the parameter ``RestorePath``. What is there and in the backup is
    replaced, file by file, by the pod's tar; what is not in the backup is left as it is. A dry run
    verifies the backup, too, but writes nothing.

    Raises ConfigInvalid, and PluginFailed: for a backup that is not there or damaged, or when there is no
    such pod, before anything is written; later when the pod's tar fails. Raises Cancelled.
    """
    stored = find_backup(Place.of(context), context.config.backup)
    root = restore_root(context)
    selection = Selection.of(context.restore.files)
    with connected(context) as cluster:
        pod = find_pod(cluster, context.parameters, context.info)
        where = f"{root} {pod.where}" if root != "/" else pod.where
        context.info(f"Restoring backup {stored.name} to {where}")
        tar = find_tar(context, cluster, pod)
        verify_stored(context, stored)
        files, size = selection.survey(stored, context.check_cancelled)
        if context.restore.dry_run:
            tell_preview(context, cluster, pod, stored, selection, root)
            return Result()
        if root != "/":
            _make_folder(context, cluster, pod, root)
        outgoing = Outgoing(stored, selection, extended=tar.extended)
        progress = Progress(context.report, "restoring", size, files, context.info, "Restored")
        try:
            _send(context, cluster, pod, outgoing, tar.unpacking(root), progress)
        except (Cancelled, PluginFailed):
            context.warn(
                f"The restore ended after {progress.files} of {files_words(files)}, "
                f"{size_words(progress.bytes)} of {size_words(size)} were sent. What the pod's tar had "
                "unpacked until then stays there, the last file perhaps in part: run the restore again"
            )
            raise
    context.info(f"Backup {stored.name} restored to {where}: {files_words(files)}, {size_words(size)}")
    return Result()


def _make_folder(context: PluginContext, cluster: Cluster, pod: Pod, root: str) -> None:
    complaints = Complaints(context)

    def hear(channel: Channel, line: str) -> None:
        complaints.hear(f"{line}\n".encode())

    ended = run_in_pod(context, cluster, pod, ["mkdir", "-p", "--", root], hear)
    if not ended.ok:
        raise PluginFailed(
            f"Cannot make the folder {shown(root)} {pod.where}: {complaints.last or ended.reason}. Choose "
            "another target"
        )


def _send(
    context: PluginContext,
    cluster: Cluster,
    pod: Pod,
    outgoing: Outgoing,
    argv: list[str],
    progress: Progress,
) -> None:
    """Stream into the pod's tar. Raises PluginFailed unless it ended well."""
    context.say(Level.CMD, f"Executing command [{' '.join(argv)}] {pod.where}")
    with executing(context, cluster, pod, argv, stdin=True) as process:
        if process.can_end_input:
            _feed(context, pod, process, outgoing, progress)
            return
    bounded = ["sh", "-c", _BOUNDED, "sh", str(outgoing.size()), *argv]
    with executing(context, cluster, pod, bounded, stdin=True) as process:
        _feed(context, pod, process, outgoing, progress)


def _feed(
    context: PluginContext, pod: Pod, process: Execution, outgoing: Outgoing, progress: Progress
) -> None:
    complaints = Complaints(context)

    def put(data: bytes | memoryview) -> None:
        runs = process.send(data)
        for _, piece in process.heard():
            complaints.hear(piece)
        if not runs:
            raise _EndedEarly

    early = False
    try:
        outgoing.write(put, progress.cancellable(context.check_cancelled))
        if process.can_end_input:
            process.end_input()
    except _EndedEarly:
        early = True
    for _, piece in process.output():
        complaints.hear(piece)
    complaints.close()
    progress.tell()
    ended = process.ended or Ended(None, "nobody knows how it ended")
    if early or not ended.ok:
        last = f": {complaints.last}" if complaints.last else ""
        raise PluginFailed(
            f"The tar {pod.where} failed, {ended.reason or 'it ended before it had everything'}{last}. "
            "Check the space and the rights of the container's user there"
        )
