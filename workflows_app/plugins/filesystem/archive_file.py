"""The file of an archive and its manifest: written side by side, safely on disk, and read back from there."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol, Self

from workflows_app.domain.sizes import size_words
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.archive import ARCHIVE_SUFFIX, ArchiveWriter
from workflows_app.plugins.filesystem.damage import failing
from workflows_app.plugins.filesystem.manifest import (
    MANIFEST_SUFFIX,
    Footer,
    Header,
    ManifestWriter,
    read_lines,
)
from workflows_app.plugins.filesystem.output import OutputFile
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.filesystem.progress import Progress
from workflows_app.plugins.filesystem.read_back import ReadBack


class Filled(Protocol):
    """How much went into an archive, as ``Footer`` has it."""

    files: int
    bytes: int


class ArchiveFile:
    """The archive of a run's backup and its manifest, both in ``folder``; to be used in ``with``."""

    def __init__(self, context: PluginContext, parameters: Parameters, folder: Path) -> None:
        self._context = context
        self._parameters = parameters
        self._archive = folder / f"{parameters.name}{ARCHIVE_SUFFIX}"
        self._manifest = folder / f"{parameters.name}{MANIFEST_SUFFIX}"
        self._read_back = ReadBack(self._archive)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._read_back.close()

    def write(self, header: Header, fill: Callable[[ArchiveWriter, ManifestWriter], Filled]) -> Footer:
        """Write both, their members by ``fill``, and have them on disk. Answers the manifest's last line.

        What is written is read back meanwhile. Raises PluginFailed when they cannot be written,
        VerificationFailed when the disk has something else already, and what ``fill`` raises.
        """
        with (
            closing(OutputFile(self._archive, self._grown)) as packed,
            closing(OutputFile(self._manifest)) as lines,
        ):
            archive = ArchiveWriter(packed, self._parameters.level, self._parameters.threads)
            manifest = ManifestWriter(lines, header)
            filled = fill(archive, manifest)
            archive.finish()
            footer = Footer(self._archive.name, packed.size, packed.sha256, filled.files, filled.bytes)
            manifest.finish(footer)
            packed.sync()
            lines.sync()
            lines.forget()
        return footer

    def verify(self, written: Footer) -> Footer:
        """Read back the rest of both. Answers what was verified. Raises VerificationFailed, Cancelled.

        The lines of the manifest and the packed bytes of the archive are held against the hashes of what went
        to the disk, the unpacked bytes against the checksum that zstd took of what went into it.
        """
        self._context.info(f"Verifying {self._archive.name}, {size_words(written.size)}")
        progress = Progress(self._context.report, "verifying", written.size)
        advance = progress.cancellable(self._context.check_cancelled)
        with failing(self._archive, self._manifest):
            footer = read_lines(self._manifest, lambda: advance(0))
            self._read_back.finish(written.size, advance).compare(self._archive.name, footer)
        progress.tell()
        return footer

    def _grown(self, size: int) -> None:
        with failing(self._archive, self._manifest):
            self._read_back.grow(size)
