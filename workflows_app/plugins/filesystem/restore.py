"""Restores a backup: finds it, verifies it, and unpacks it or tells what that would do."""

import re

from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level, Result
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.attributes import Attributes
from workflows_app.plugins.filesystem.extract import Extraction
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.filesystem.preview import Preview
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.refusals import Refusals
from workflows_app.plugins.filesystem.room import shortage
from workflows_app.plugins.filesystem.stored import Stored, find_backup
from workflows_app.plugins.filesystem.target import Target, resolve_target
from workflows_app.plugins.filesystem.verification import verify_stored
from workflows_app.plugins.wording import files_words, reason_of, shown

# How many chosen paths are named.
_NAMED = 5


def restore_backup(context: PluginContext) -> Result:
    """Restore ``context.config.backup`` to its original paths, or below ``context.restore.target``.

    With ``context.restore.files`` those files and folders alone. What is there and in the backup is replaced,
    file by file and each in one step; what is not in the backup is left as it is. A dry run verifies the
    backup, too, but writes nothing. The code is 1 when something could not be restored, which is told at
    level ERROR.

    Raises ConfigInvalid, and PluginFailed: for a backup that is not there or damaged, for a target that
    cannot be, or for want of space, before anything is written; later when the disk refuses. Raises
    Cancelled, and says how far it was.
    """
    backup = context.config.backup
    context.info("Performing filesystem restore")
    place = Place.of(context)
    temporary = _temporary_name(context.config.workflow_id)
    stored = find_backup(place, backup).choose(context.restore.files, context.check_cancelled)
    target = resolve_target(context.restore.target, stored.grounds, place.destination, context.info)
    context.info(f"Restoring {_chosen_words(stored)}backup {stored.name} to {target.where}")
    verify_stored(context, stored)
    try:
        want = shortage(stored, target, context.check_cancelled)
    except OSError as error:
        raise PluginFailed(f"Cannot look at {target.where}: {reason_of(error)}") from error
    if context.restore.dry_run:
        if want:
            context.warn(want)
        Preview(context, stored, target).tell()
        return Result()
    if want:
        raise PluginFailed(want)
    return _restore(context, stored, target, temporary)


def _chosen_words(stored: Stored) -> str:
    """What of the backup is restored, in words before its name; empty for all of it."""
    if stored.chosen is None:
        return ""
    roots = stored.roots
    more = f" and {len(roots) - _NAMED} more" if len(roots) > _NAMED else ""
    return f"{', '.join(shown(root) for root in roots[:_NAMED])}{more} of "


def _temporary_name(workflow_id: str) -> str:
    """The name under which files are made: the same in every attempt of a run, which so cleans up itself."""
    if not re.fullmatch(r"[0-9]{1,20}", workflow_id):
        raise ConfigInvalid("workflowId", f"{workflow_id!r} is not the number of a run")
    return f".restore-{workflow_id}.partial"


def _restore(context: PluginContext, stored: Stored, target: Target, temporary: str) -> Result:
    total = stored.footer
    progress = Progress(
        context.report,
        "restoring",
        total.bytes,
        total.files,
        context.info,
        "Restored",
    )
    refusals = Refusals(context)
    attributes = Attributes(context.warn)
    extraction = Extraction(
        stored, target, temporary, refusals, attributes, progress, context.check_cancelled
    )
    try:
        extraction.run()
    except (Cancelled, PluginFailed) as error:
        how = "was cancelled" if isinstance(error, Cancelled) else "ended"
        context.warn(
            f"The restore {how} after {extraction.files} of {files_words(total.files)}, "
            f"{size_words(extraction.bytes)} of {size_words(total.bytes)}, which stay restored"
        )
        raise
    finally:
        refusals.close()
        progress.tell()
    done = f"{files_words(extraction.files)}, {size_words(extraction.bytes)}"
    if refusals.count:
        context.say(
            Level.ERROR,
            f"Backup {shown(stored.name)} restored to {target.where} in part: {done}; {refusals.count} could "
            "not be restored, as said above",
        )
        return Result(code=1)
    context.info(f"Backup {stored.name} restored to {target.where}: {done}")
    return Result()
