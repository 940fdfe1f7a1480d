"""Restores a snapshot, or chosen files of it, or tells what that would do."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.plugins.base import PluginContext, Report
from workflows_app.plugins.filesystem.target import Target, resolve_target
from workflows_app.plugins.restic.browsing import path_of
from workflows_app.plugins.restic.links import refuse_links_in
from workflows_app.plugins.restic.nodes import Node, is_in, list_nodes, parents
from workflows_app.plugins.restic.parameters import Parameters
from workflows_app.plugins.restic.preview import Preview
from workflows_app.plugins.restic.program import Document, Restic, error_words
from workflows_app.plugins.restic.snapshots import Snapshot, find_snapshot

# What restic's patterns mean something by.
_SPECIAL = re.compile(r"([\\*?\[\]])")
# A repository that is no folder of this worker cannot be overwritten by a restore.
_NOWHERE = Path("/nonexistent/fossul-restic")


def restore_backup(context: PluginContext) -> Result:
    """Restore ``context.config.backup`` to its original paths, or below ``context.restore.target``.

    With ``context.restore.files`` those alone. What is there and in the backup is replaced, what is not in
    it is left as it is. restic holds each blob against its hash, and reads in the end what it has written.
    A dry run writes nothing. The code is 1 when something could not be restored, which is told.

    Raises ConfigInvalid, and PluginFailed for a backup that is not there, a target that cannot be, and a link
    that would lead out of it, before anything is written; Cancelled, and says that what was restored stays.
    """
    parameters = Parameters.of(context)
    restic = Restic(context, parameters)
    context.info("Performing restic restore")
    with restic.leaving_no_lock():
        snapshot = find_snapshot(restic, parameters, context.config.backup)
        wanted = _wanted(context, restic, snapshot)
        target = resolve_target(
            context.restore.target, snapshot.paths, parameters.local or _NOWHERE, context.info
        )
        refuse_links_in(restic, snapshot, wanted, target)
        if context.restore.dry_run:
            Preview(context, target).tell(restic, snapshot, wanted)
            return Result()
        context.info(f"Restoring snapshot {snapshot.id[:8]} of {snapshot.name} to {target.where}")
        return _restore(context, restic, snapshot, target, wanted)


def _wanted(context: PluginContext, restic: Restic, snapshot: Snapshot) -> tuple[str, ...]:
    """The paths to restore. Raises PluginFailed for one that is not in the snapshot."""
    if not context.restore.files:
        return snapshot.paths
    paths = tuple(dict.fromkeys(path_of("files", key) for key in context.restore.files))
    there: set[str] = set()

    def note(node: Node) -> None:
        there.add(node.path)

    list_nodes(restic, snapshot, parents(paths), note)
    missing = [path for path in paths if path not in there or not is_in(path, snapshot.paths)]
    if missing:
        raise PluginFailed(f"The backup {snapshot.name} does not hold {', '.join(missing[:5])}")
    return paths


def _restore(
    context: PluginContext, restic: Restic, snapshot: Snapshot, target: Target, wanted: Sequence[str]
) -> Result:
    failed: list[str] = []

    def hear(told: Document) -> None:
        if told.get("message_type") == "status":
            context.report(_report(told))
        elif told.get("message_type") == "error":
            failed.append(error_words(told))
            context.say(Level.ERROR, failed[-1])

    def read(line: str) -> None:
        if line.startswith("ignoring error for "):
            failed.append(line)
            context.say(Level.ERROR, line.removeprefix("ignoring error for "))
        elif line.strip():
            context.info(line)

    # Without a pattern restic would give the folders above the sources their old attributes, too.
    patterns = [f"--include={_pattern(path)}" for path in wanted if path != "/"]
    why = ""
    try:
        restic.run(
            "--json", "restore", snapshot.id, f"--target={target.base}", "--verify", *patterns,
            hear=hear, read=read,
        )  # fmt: skip
    except PluginFailed as error:
        if not failed:
            raise
        why = f" ({error})"
    if failed:
        context.say(
            Level.ERROR,
            f"Backup {snapshot.name} restored to {target.where} in part: {len(failed)} could not be "
            f"restored, as said above{why}",
        )
        return Result(code=1)
    context.info(f"Backup {snapshot.name} restored to {target.where}, and verified by restic")
    return Result()


def _pattern(path: str) -> str:
    """The pattern that means exactly this path, and what is in it."""
    return _SPECIAL.sub(r"\\\1", os.path.normpath(path))


def _report(told: Document) -> Report:
    return Report(
        int(told.get("bytes_restored", 0)),
        int(told.get("total_bytes", 0)),
        int(told.get("files_restored", 0)),
        int(told.get("total_files", 0)),
        "restoring",
    )
