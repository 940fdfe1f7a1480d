"""Makes a backup in the format ``archive``: one verified tar.zst and its manifest."""

from collections.abc import Sequence
from pathlib import Path

from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.archive import ArchiveWriter
from workflows_app.plugins.filesystem.archive_file import ArchiveFile
from workflows_app.plugins.filesystem.copying import Copy
from workflows_app.plugins.filesystem.manifest import Footer, Header, ManifestWriter
from workflows_app.plugins.filesystem.notices import Notices
from workflows_app.plugins.filesystem.output import writing
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.filesystem.scan import Scanned
from workflows_app.plugins.filesystem.scanning import copying_progress, scanned_sources
from workflows_app.plugins.filesystem.selection import Selection
from workflows_app.plugins.filesystem.throttle import Throttle


class ArchiveRun:
    """Fills one partial folder: looks, copies, verifies."""

    def __init__(
        self, context: PluginContext, parameters: Parameters, selection: Selection, folder: Path
    ) -> None:
        self._context = context
        self._parameters = parameters
        self._selection = selection
        self._folder = folder
        self._notices = Notices(context.warn)

    def make(self, header: Header) -> Footer:
        """Write the archive and the manifest, and answer its last line, which has been verified."""
        context, selection = self._context, self._selection
        with ArchiveFile(context, self._parameters, self._folder) as file:
            with (
                writing(self._folder),
                scanned_sources(context, header.sources, selection, self._folder, self._notices) as scanned,
            ):
                written = file.write(header, lambda archive, manifest: self._copy(scanned, archive, manifest))
            self._notices.close()
            return file.verify(written)

    def _copy(self, scanned: Sequence[Scanned], archive: ArchiveWriter, manifest: ManifestWriter) -> Copy:
        check_cancelled = self._context.check_cancelled
        progress = copying_progress(self._context, scanned)
        throttle = Throttle(self._parameters.bandwidth)
        copy = Copy(archive, manifest, self._notices, progress, throttle, check_cancelled)
        for source in scanned:
            copy.copy(source)
        progress.tell()
        check_cancelled()
        return copy
