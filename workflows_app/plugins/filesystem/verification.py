"""Verifies a backup that is there, for a restore or for its own sake, and tells how far that is."""

from workflows_app.domain.results import Result
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.parameters import Place
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.stored import Stored, find_backup
from workflows_app.plugins.filesystem.verify import verify, verify_packed
from workflows_app.plugins.filesystem.wording import files_words, size_words


def verify_backup(context: PluginContext) -> Result:
    """Hold the backup ``context.config.backup`` against its manifest, byte by byte; nothing is changed.

    Raises PluginFailed when it is not there or damaged, with where they differ, and Cancelled.
    """
    stored = find_backup(Place.of(context), context.config.backup)
    footer = stored.footer
    progress = _begin(context, stored, footer.bytes, footer.files)

    def advance(size: int, files: int) -> None:
        context.check_cancelled()
        progress.advance(size, files)

    verify(stored.archive, stored.manifest, advance)
    progress.tell()
    context.info(
        f"Backup {stored.name} verified: {files_words(footer.files)}, {size_words(footer.bytes)}, "
        f"archive {size_words(footer.size)}"
    )
    return Result()


def verify_stored(context: PluginContext, stored: Stored) -> None:
    """Make sure that a backup is still what was verified when it was made (``verify_packed``).

    What unpacks it then holds each member against the manifest. Raises VerificationFailed, Cancelled.
    """
    progress = _begin(context, stored, stored.footer.size, 0)

    def advance(size: int) -> None:
        context.check_cancelled()
        progress.advance(size)

    verify_packed(stored.archive, stored.manifest, advance)
    progress.tell()


def _begin(context: PluginContext, stored: Stored, size: int, files: int) -> Progress:
    context.info(f"Verifying {stored.footer.file}, {size_words(stored.footer.size)}")
    return Progress(context.report, "verifying", size, files)
