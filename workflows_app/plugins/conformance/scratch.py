"""The folder in which a conformance check may do what it wants."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

# What makes a value of the command line a path in the scratch folder.
PLACEHOLDER = "{scratch}"
# The usual names of what is backed up, where backups are (both Fossul's, §7.6), and where archives are.
SOURCE_PARAMETER = "BackupSrcPaths"
TARGET_PARAMETER = "BackupDestPath"
ARCHIVE_PARAMETER = "ArchivePath"


class Scratch:
    """A source with generated files, and places for backups, archives and restores, below one root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source = root / "source"
        self.target = root / "target"
        self.archives = root / "archives"
        self.restored = root / "restored"
        self.target.mkdir()
        self.archives.mkdir()
        self.fill(0)

    @property
    def parameters(self) -> Mapping[str, str]:
        """The usual parameters, with the paths of this folder."""
        return {
            SOURCE_PARAMETER: str(self.source),
            TARGET_PARAMETER: str(self.target),
            ARCHIVE_PARAMETER: str(self.archives),
        }

    def fill(self, number: int) -> Mapping[str, bytes]:
        """Make the source anew, with files that tell ``number``; answers them by relative path."""
        files = {
            "number.txt": b"%d\n" % number,
            "empty": b"",
            "folder/bytes.bin": bytes(range(256)) * 300 + b"%d" % number,
            "folder/a name with spaces, é and 'quotes'": b"%d" % number,
        }
        shutil.rmtree(self.source, ignore_errors=True)
        for name, content in files.items():
            path = self.source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return files

    def snapshot(self) -> Mapping[str, bytes | None]:
        """Everything below the root: folders as None, files by their content."""
        found: dict[str, bytes | None] = {}
        for folder, folders, files in os.walk(self.root):
            for name in folders:
                found[os.path.relpath(Path(folder, name), self.root)] = None
            for name in files:
                path = Path(folder, name)
                found[os.path.relpath(path, self.root)] = path.read_bytes()
        return found


def differences(folder: Path, files: Mapping[str, bytes]) -> str:
    """What of ``files`` is not so in ``folder``, in words; ``""`` when all is."""
    for name, content in files.items():
        path = folder / name
        if not path.is_file():
            return f"{path} is not there"
        if path.read_bytes() != content:
            return f"{path} has another content"
    return ""
