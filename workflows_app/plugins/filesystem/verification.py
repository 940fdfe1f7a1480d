"""Verifies a backup that is there, for a restore or for its own sake, and tells how far that is."""

from workflows_app.domain.results import Result
from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.kept import Kept
from workflows_app.plugins.filesystem.members import Member
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.stored import Stored, find_backup
from workflows_app.plugins.filesystem.tree_verify import verify_tree
from workflows_app.plugins.filesystem.verify import verify, verify_packed
from workflows_app.plugins.wording import files_words


def verify_backup(context: PluginContext) -> Result:
    """Hold the backup ``context.config.backup`` against its manifest, byte by byte; nothing is changed.

    Raises PluginFailed when it is not there or damaged, with where they differ, and Cancelled.
    """
    stored = find_backup(Place.of(context), context.config.backup)
    footer = stored.footer
    progress = _begin(context, stored, footer.bytes, footer.files)
    advance = progress.cancellable(context.check_cancelled)
    if stored.is_tree:
        verify_tree(stored.archive, stored.manifest, advance)
    else:
        verify(stored.archive, stored.manifest, advance)
    progress.tell()
    context.info(
        f"Backup {stored.name} verified: {files_words(footer.files)}, {size_words(footer.bytes)}"
        f"{'' if stored.is_tree else f', archive {size_words(footer.size)}'}"
    )
    return Result()


def verify_stored(context: PluginContext, stored: Stored) -> None:
    """Make sure that a backup is still what was verified when it was made.

    Of an archive that is all of it (``verify_packed``), of a tree what was chosen. What unpacks it then holds
    each member against the manifest. Raises VerificationFailed, Cancelled.
    """
    if stored.is_tree:
        _verify_chosen(context, stored)
        return
    progress = _begin(context, stored, stored.footer.size, 0)
    advance = progress.cancellable(context.check_cancelled)
    verify_packed(stored.archive, stored.manifest, advance)
    progress.tell()


def _verify_chosen(context: PluginContext, stored: Stored) -> None:
    chosen, footer = stored.chosen, stored.footer
    progress = _begin(context, stored, footer.bytes, footer.files)
    advance = progress.cancellable(context.check_cancelled)

    def reads(member: Member, kept: Kept) -> bool:
        return chosen is None or chosen.has(member.path) or member.path in chosen.moved

    verify_tree(stored.archive, stored.manifest, advance, reads)
    progress.tell()


def _begin(context: PluginContext, stored: Stored, size: int, files: int) -> Progress:
    of = stored.footer.bytes if stored.is_tree else stored.footer.size
    context.info(f"Verifying {stored.footer.file}, {size_words(of)}")
    return Progress(context.report, "verifying", size, files)
