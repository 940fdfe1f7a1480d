"""Writes a tar stream, compressed with zstd by several threads, in constant memory."""

import tarfile
from typing import BinaryIO, cast

import zstandard

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.output import OutputFile

ARCHIVE_SUFFIX = ".tar.zst"

# Less is gathered before it goes to the compressor: a call for each small header would cost more.
_GATHER = 128 * 1024
# So much of what is compressed goes to the output at once, in bytes.
_PIECE = 1024 * 1024

# How much a thread compresses in one go, in bytes: at quick levels one window instead of zstd's four. That
# stays in the processor's cache, which saves a third of the time for what does not compress, and costs 0.4 %
# of room for what does. At slow levels, where windows overlap by half, it would cost time.
_JOB = 2 * 1024 * 1024
_QUICK = 3


class ArchiveWriter:
    """A tar archive in the making. What is written to it is compressed into ``output``.

    The threads of the compressor work while the caller reads and hashes on. Raises PluginFailed when the
    output cannot be written or the compressor gets no memory.
    """

    def __init__(self, output: OutputFile, level: int, threads: int) -> None:
        job = {"job_size": _JOB} if level <= _QUICK else {}
        parameters = zstandard.ZstdCompressionParameters.from_level(
            level, threads=threads, write_checksum=True, **job
        )
        compressor = zstandard.ZstdCompressor(compression_params=parameters)
        # It only ever calls write().
        self._stream = compressor.stream_writer(cast(BinaryIO, output), write_size=_PIECE, closefd=False)
        self._gathered = bytearray()
        self._size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Write a piece of the tar stream; ``data`` may be overwritten afterwards."""
        self._size += len(data)
        if len(data) < _GATHER:
            self._gathered += data
            if len(self._gathered) < _GATHER:
                return
            self._compress_gathered()
        else:
            self._compress_gathered()
            self._compress(data)

    def pad(self) -> None:
        """Fill up the last block of a member's data."""
        self._fill(tarfile.BLOCKSIZE)

    def finish(self) -> None:
        """Write the end of the archive; ``output`` then has all of it."""
        self.write(bytes(2 * tarfile.BLOCKSIZE))
        self._fill(tarfile.RECORDSIZE)
        self._compress_gathered()
        try:
            self._stream.flush(zstandard.FLUSH_FRAME)
        except zstandard.ZstdError as error:
            raise _cannot_compress(error) from error

    def _fill(self, block: int) -> None:
        self.write(bytes(-self._size % block))

    def _compress_gathered(self) -> None:
        if self._gathered:
            self._compress(self._gathered)
            self._gathered.clear()

    def _compress(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._stream.write(data)
        except (zstandard.ZstdError, MemoryError) as error:
            raise _cannot_compress(error) from error


def _cannot_compress(error: Exception) -> PluginFailed:
    return PluginFailed(
        f"Cannot compress the backup: {error or 'not enough memory'}. Try a lower CompressionLevel or fewer "
        "CompressionThreads"
    )
