"""What is said of an archive that is not what its manifest says."""

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem.manifest import Footer, ManifestBroken
from workflows_app.plugins.wording import reason_of, shown


class VerificationFailed(PluginFailed):
    """A backup is not what its manifest says; the text says where they differ."""


@contextmanager
def failing(archive: Path, manifest: Path) -> Iterator[None]:
    """Turn every way to fail into a VerificationFailed that names the file."""
    where = f"The backup in {shown(str(archive))} failed its verification"
    try:
        yield
    except VerificationFailed as error:
        told = str(error)
        raise VerificationFailed(told if told.startswith(where) else f"{where}: {told}") from None
    except ManifestBroken as error:
        raise VerificationFailed(f"{where}: the manifest {shown(manifest.name)} is broken: {error}") from None
    except (tarfile.TarError, zstandard.ZstdError, ValueError, EOFError) as error:
        raise VerificationFailed(f"{where}: the archive is damaged: {error}") from error
    except OSError as error:
        raise VerificationFailed(f"{where}: cannot read it back: {reason_of(error)}") from error


class PackedHash:
    """The ``size`` (bytes) and the hash of what was read of an archive's file so far."""

    def __init__(self) -> None:
        self.size = 0
        self._hash = hashlib.sha256()

    def update(self, piece: bytes) -> None:
        """Take the next piece."""
        self._hash.update(piece)
        self.size += len(piece)

    def compare(self, name: str, footer: Footer) -> None:
        """Raise VerificationFailed unless that is what the manifest says of the file ``name``."""
        found = self._hash.hexdigest()
        if (name, self.size, found) != (footer.file, footer.size, footer.sha256):
            raise VerificationFailed(
                f"the archive has {self.size} bytes and SHA-256 {found} instead of {footer.size} "
                f"bytes and SHA-256 {footer.sha256} as {shown(footer.file)}"
            )
