"""Verifies a backup that is there, for a restore or for its own sake, and tells how far that is."""

from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.stored import Stored, find_backup
from workflows_app.plugins.filesystem.verify import verify
from workflows_app.plugins.filesystem.wording import files_words, size_words


def verify_backup(context: PluginContext) -> Result:
    """Hold the backup ``context.config.backup`` against its manifest, byte by byte; nothing is changed.

    Raises PluginFailed when it is not there or damaged, with where they differ, and Cancelled.
    """
    stored = find_backup(Place.of(context), context.config.backup)
    verify_stored(context, stored)
    footer = stored.footer
    context.info(
        f"Backup {stored.name} verified: {files_words(footer.files)}, {size_words(footer.bytes)}, "
        f"archive {size_words(footer.size)}"
    )
    return Result()


def verify_stored(context: PluginContext, stored: Stored) -> None:
    """Verify a backup that was found. Raises VerificationFailed, Cancelled."""
    footer = stored.footer
    context.info(f"Verifying {footer.file}, {size_words(footer.size)}")
    progress = Progress(context.report, "verifying", footer.bytes, footer.files)

    def advance(size: int, files: int) -> None:
        context.check_cancelled()
        progress.advance(size, files)

    verify(stored.archive, stored.manifest, advance)
    progress.tell()
