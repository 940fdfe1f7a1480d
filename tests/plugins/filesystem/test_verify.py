import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tests.plugins.filesystem.conftest import Storage
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.filesystem.damage import VerificationFailed
from workflows_app.plugins.filesystem.verify import verify


@pytest.fixture
def made(storage: Storage) -> Storage:
    """A backup of three files and a folder."""
    (storage.source / "a").write_bytes(os.urandom(100_000))
    (storage.source / "a").chmod(0o644)
    (storage.source / "b").write_text("text " * 1000)
    (storage.source / "folder").mkdir()
    (storage.source / "folder" / "c").write_text("more")
    storage.backup()
    return storage


def check(storage: Storage) -> None:
    verify(storage.archive(), storage.manifest(), lambda size, files: None)


def test_a_sound_archive_is_read_to_the_last_byte(made: Storage) -> None:
    counted = [0, 0]

    def advance(size: int, files: int) -> None:
        counted[0] += size
        counted[1] += files

    footer = verify(made.archive(), made.manifest(), advance)
    assert counted == [footer.bytes, footer.files] == [105_004, 3]


@pytest.mark.parametrize("place", [0, 10, 0.1, 0.5, 0.9, -2])
def test_a_flipped_byte_is_found(made: Storage, place: float) -> None:
    data = bytearray(made.archive().read_bytes())
    data[int(place * len(data)) if isinstance(place, float) else place] ^= 0x10
    made.archive().write_bytes(data)
    with pytest.raises(VerificationFailed, match="failed its verification"):
        check(made)


@pytest.mark.parametrize("kept", [0, 3, 0.5, 0.99, -1])
def test_a_truncated_archive_is_found(made: Storage, kept: float) -> None:
    data = made.archive().read_bytes()
    made.archive().write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    with pytest.raises(VerificationFailed):
        check(made)


def test_bytes_behind_the_archive_are_found(made: Storage) -> None:
    with made.archive().open("ab") as file:
        file.write(b"more")
    with pytest.raises(VerificationFailed):
        check(made)


def test_another_content_is_found_and_named_even_in_a_sound_stream(made: Storage) -> None:
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(made.archive().read_bytes())
    made.archive().write_bytes(zstandard.ZstdCompressor().compress(plain.replace(b"more", b"less")))
    with pytest.raises(VerificationFailed, match=r"folder/c has sha256 '.*' instead of '.*'"):
        check(made)


def edit(manifest: Path, change: Callable[[list[dict[str, object]]], None]) -> None:
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    change(lines)
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_each_difference_from_the_manifest_is_named(made: Storage) -> None:
    original = made.manifest().read_bytes()

    def difference(change: Callable[[list[dict[str, object]]], None]) -> str:
        made.manifest().write_bytes(original)
        edit(made.manifest(), change)
        with pytest.raises(VerificationFailed) as failed:
            check(made)
        return str(failed.value)

    assert "source/a has mode 420 instead of 1" in difference(lambda lines: lines[2].update(mode=1))
    assert f"source/a has uid {os.getuid()} instead of 123456" in difference(
        lambda lines: lines[2].update(uid=123456)
    )
    assert "mtime_ns" in difference(lambda lines: lines[2].update(mtime_ns=5))
    assert re.search(
        "the archive has .*source/b where .*source/folder belongs",
        difference(lambda lines: lines.pop(3) and None),
    )
    assert "the archive ends before other" in difference(
        lambda lines: lines.insert(-1, {**lines[2], "path": "other"})
    )
    assert "is in the archive but not in the manifest" in difference(lambda lines: lines.pop(-2) and None)
    assert "last line is missing" in difference(lambda lines: lines.pop() and None)
    assert "a line tells of no member" in difference(lambda lines: lines[2].pop("uid") and None)
    assert "there is more after its last line" in difference(lambda lines: lines.append(lines[2]))


def test_a_missing_archive_is_a_failure_with_its_reason(made: Storage) -> None:
    made.archive().unlink()
    with pytest.raises(VerificationFailed, match="cannot read it back: No such file"):
        check(made)


def test_what_advance_raises_ends_the_verification(made: Storage) -> None:
    def stop(size: int, files: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(made.archive(), made.manifest(), stop)


def test_a_backup_whose_archive_is_damaged_on_disk_does_not_appear(storage: Storage) -> None:
    (storage.source / "file").write_bytes(os.urandom(10_000))

    def damage(text: str) -> None:
        if text.startswith("Verifying"):
            (archive,) = storage.folder.glob(".*.partial/*.tar.zst")
            with archive.open("r+b") as file:
                file.seek(5000)
                file.write(bytes(8))

    storage.on_line = damage
    with pytest.raises(PluginFailed, match="failed its verification"):
        storage.backup()
    assert storage.kept() == []
    assert not any("completed" in line for line in storage.lines(Level.INFO))
