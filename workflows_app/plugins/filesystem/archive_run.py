"""Makes a backup in the format ``archive``: one verified tar.zst and its manifest."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.archive import ARCHIVE_SUFFIX, ArchiveWriter
from workflows_app.plugins.filesystem.copying import Copy
from workflows_app.plugins.filesystem.manifest import MANIFEST_SUFFIX, Footer, Header, ManifestWriter
from workflows_app.plugins.filesystem.notices import Notices
from workflows_app.plugins.filesystem.output import OutputFile, writing
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.scan import Scanned
from workflows_app.plugins.filesystem.scanning import copying_progress, scanned_sources
from workflows_app.plugins.filesystem.selection import Selection
from workflows_app.plugins.filesystem.throttle import Throttle
from workflows_app.plugins.filesystem.verify import verify_written
from workflows_app.plugins.wording import size_words


class ArchiveRun:
    """Fills one partial folder: looks, copies, verifies."""

    def __init__(
        self, context: PluginContext, parameters: Parameters, selection: Selection, folder: Path
    ) -> None:
        self._context = context
        self._parameters = parameters
        self._selection = selection
        self._folder = folder
        self._archive = folder / f"{parameters.name}{ARCHIVE_SUFFIX}"
        self._manifest = folder / f"{parameters.name}{MANIFEST_SUFFIX}"
        self._notices = Notices(context.warn)

    def make(self, header: Header) -> Footer:
        """Write the archive and the manifest, and answer its last line, which has been verified."""
        context, selection = self._context, self._selection
        with (
            writing(self._folder),
            scanned_sources(context, header.sources, selection, self._folder, self._notices) as scanned,
        ):
            written = self._copy(header, scanned)
        self._notices.close()
        return self._verify(written)

    def _copy(self, header: Header, scanned: Sequence[Scanned]) -> Footer:
        """Write both files and have them on disk. Answers the manifest's last line."""
        parameters, check_cancelled = self._parameters, self._context.check_cancelled
        progress = copying_progress(self._context, scanned)
        with closing(OutputFile(self._archive)) as packed, closing(OutputFile(self._manifest)) as lines:
            archive = ArchiveWriter(packed, parameters.level, parameters.threads)
            manifest = ManifestWriter(lines, header)
            throttle = Throttle(parameters.bandwidth)
            copy = Copy(archive, manifest, self._notices, progress, throttle, check_cancelled)
            for source in scanned:
                copy.copy(source)
            progress.tell()
            check_cancelled()
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
