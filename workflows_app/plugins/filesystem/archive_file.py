"""The file of an archive and its manifest: written side by side, safely on disk, and read back from there."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.archive import ARCHIVE_SUFFIX, ArchiveWriter
from workflows_app.plugins.filesystem.manifest import MANIFEST_SUFFIX, Footer, Header, ManifestWriter
from workflows_app.plugins.filesystem.output import OutputFile
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.verify import verify_written


class Filled(Protocol):
    """How much went into an archive, as ``Footer`` has it."""

    files: int
    bytes: int


class ArchiveFile:
    """The archive of a run's backup and its manifest, both in ``folder``."""

    def __init__(self, context: PluginContext, parameters: Parameters, folder: Path) -> None:
        self._context = context
        self._parameters = parameters
        self._archive = folder / f"{parameters.name}{ARCHIVE_SUFFIX}"
        self._manifest = folder / f"{parameters.name}{MANIFEST_SUFFIX}"

    def write(self, header: Header, fill: Callable[[ArchiveWriter, ManifestWriter], Filled]) -> Footer:
        """Write both, their members by ``fill``, and have them on disk. Answers the manifest's last line.

        Raises PluginFailed when they cannot be written, and what ``fill`` raises.
        """
        with closing(OutputFile(self._archive)) as packed, closing(OutputFile(self._manifest)) as lines:
            archive = ArchiveWriter(packed, self._parameters.level, self._parameters.threads)
            manifest = ManifestWriter(lines, header)
            filled = fill(archive, manifest)
            archive.finish()
            footer = Footer(self._archive.name, packed.size, packed.sha256, filled.files, filled.bytes)
            manifest.finish(footer)
            packed.sync()
            lines.sync()
        return footer

    def verify(self, written: Footer) -> Footer:
        """Read both back from disk. Answers what was verified. Raises VerificationFailed, Cancelled."""
        self._context.info(f"Verifying {self._archive.name}, {size_words(written.size)}")
        progress = Progress(self._context.report, "verifying", written.size)
        advance = progress.cancellable(self._context.check_cancelled)
        footer = verify_written(self._archive, self._manifest, advance)
        progress.tell()
        return footer
