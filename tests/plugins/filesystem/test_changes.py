"""Files that do not stand still while they are backed up."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.trees import MiB, names_in, unpack_with_tar
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level


def after_the_scan(storage: Storage, action: Callable[[], object]) -> None:
    def act(text: str) -> None:
        if text.startswith("Backing up"):
            action()

    storage.on_line = act


def while_it_is_read(storage: Storage, path: Path, action: Callable[[], object]) -> None:
    """Act once, when the plugin has ``path`` open and looks whether to go on."""
    done: list[bool] = []

    def act() -> bool:
        if not done and any(_opened(path)):
            done.append(True)
            action()
        return False

    storage.cancelled = act


def _opened(path: Path) -> list[str]:
    opened = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # that of the listing itself
            continue
        if target == str(path):
            opened.append(target)
    return opened


def unpacked(storage: Storage) -> Path:
    target = storage.destination / "out"
    unpack_with_tar(storage.archive(), target)
    return target / str(storage.source)[1:]


def warnings(storage: Storage) -> list[str]:
    return [line for line in storage.lines(Level.WARN) if "does not exist" not in line]


def test_a_file_that_vanishes_after_the_scan_is_left_out_and_named(storage: Storage) -> None:
    for name in ("a", "b", "z"):
        (storage.source / name).mkdir()
        (storage.source / name / "file").write_text(name)
    after_the_scan(storage, lambda: (storage.source / "b" / "file").unlink())
    storage.backup()
    assert warnings(storage) == [f"{storage.source}/b/file: vanished while the backup ran; it is left out"]
    out = unpacked(storage)
    assert names_in(out) == ["a", "b", "z"]
    assert names_in(out / "b") == []


@pytest.mark.parametrize("form", ["archive", "tree"])
@pytest.mark.parametrize("loss", ["removed", "moved", "replaced"])
def test_a_source_that_is_lost_while_it_is_copied_makes_no_backup(
    storage: Storage, tmp_path: Path, form: str, loss: str
) -> None:
    (storage.source / "file").write_text("x")

    def lose() -> None:
        storage.source.rename(tmp_path / "elsewhere")
        if loss == "removed":
            shutil.rmtree(tmp_path / "elsewhere")
        if loss == "replaced":
            storage.source.mkdir()

    after_the_scan(storage, lose)
    with pytest.raises(
        PluginFailed, match=rf"^(The source {storage.source} vanished or was|Cannot read 1 file)"
    ):
        storage.backup(Format=form)
    assert [name for name in storage.kept() if not name.startswith(".")] == []


def test_a_source_that_is_a_file_may_be_replaced(storage: Storage) -> None:
    file = storage.source / "file"
    file.write_text("old")

    def save() -> None:
        (storage.source / "new").write_text("new")
        (storage.source / "new").replace(file)

    after_the_scan(storage, save)
    storage.backup(BackupSrcPaths=str(file))
    assert len(storage.kept()) == 1


def test_a_file_is_not_missed_because_of_how_its_neighbours_are_called(storage: Storage) -> None:
    (storage.source / "a").mkdir()
    for name in ("a/x", "a.txt", "a-", "b"):  # as text, "a.txt" comes before "a/x", in a walk after it
        (storage.source / name).write_text(name)
    after_the_scan(storage, lambda: (storage.source / "a" / "x").unlink())
    storage.backup()
    assert warnings(storage) == [f"{storage.source}/a/x: vanished while the backup ran; it is left out"]


def test_the_last_files_and_whole_folders_that_vanish_are_named_too(storage: Storage) -> None:
    (storage.source / "a").write_text("stays")
    (storage.source / "z").mkdir()
    for number in range(25):
        (storage.source / "z" / f"{number:02}").write_text("goes")

    def remove() -> None:
        for path in (storage.source / "z").iterdir():
            path.unlink()
        (storage.source / "z").rmdir()

    after_the_scan(storage, remove)
    storage.backup()
    said = warnings(storage)
    assert said[0].startswith(f"{storage.source}/z/00: vanished")
    assert len(said) == 21
    assert said[-1] == "… and 5 more: vanished while the backup ran; it is left out"
    assert names_in(unpacked(storage)) == ["a"]


def test_a_file_that_appears_after_the_scan_is_backed_up_without_a_word(storage: Storage) -> None:
    (storage.source / "b").write_text("old")
    after_the_scan(storage, lambda: [(storage.source / name).write_text("new") for name in "ac"])
    storage.backup()
    assert warnings(storage) == []
    assert names_in(unpacked(storage)) == ["a", "b", "c"]


def test_a_source_that_vanishes_as_a_whole_fails_the_backup(storage: Storage) -> None:
    (storage.source / "one").write_text("content")
    after_the_scan(storage, lambda: storage.source.rename(storage.source.with_name("gone")))
    with pytest.raises(PluginFailed, match=rf"{storage.source} \(No such file or directory\)"):
        storage.backup()
    assert storage.kept() == []


def test_a_file_that_shrinks_while_it_is_read_fails_the_backup(storage: Storage) -> None:
    big = storage.source / "big"
    big.write_bytes(os.urandom(3 * MiB))
    while_it_is_read(storage, big, lambda: os.truncate(big, 1000))
    with pytest.raises(PluginFailed, match=f"{big} shrank while it was copied"):
        storage.backup()
    assert storage.kept() == []


def test_a_file_that_grows_while_it_is_read_is_backed_up_as_long_as_it_was(storage: Storage) -> None:
    big = storage.source / "big"
    content = os.urandom(3 * MiB)
    big.write_bytes(content)

    def grow() -> None:
        with big.open("ab") as file:
            file.write(b"more")

    while_it_is_read(storage, big, grow)
    storage.backup()
    assert warnings(storage) == [
        f"{big}: changed while it was copied; the backup has what was read, which may be a mixture"
    ]
    assert (unpacked(storage) / "big").read_bytes() == content


def test_a_file_that_is_written_while_it_is_read_is_warned_of(storage: Storage) -> None:
    big = storage.source / "big"
    big.write_bytes(bytes(3 * MiB))

    def change() -> None:
        with big.open("r+b") as file:
            file.write(b"changed")

    while_it_is_read(storage, big, change)
    storage.backup()
    assert len(warnings(storage)) == 1
    assert (unpacked(storage) / "big").stat().st_size == 3 * MiB


def test_a_file_replaced_by_a_link_is_not_followed(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("not to be read")
    victim = storage.source / "file"
    victim.write_text("content")

    def swap() -> None:
        victim.unlink()
        victim.symlink_to(tmp_path / "outside")

    after_the_scan(storage, swap)
    storage.backup()
    assert (unpacked(storage) / "file").readlink() == tmp_path / "outside"
