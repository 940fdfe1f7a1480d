"""Trees of the storage plugin ``filesystem`` are archived and come back, each complete by itself."""

import shutil
from pathlib import Path

import pytest

from tests.plugins.archiving.archived import Archiving, contents, name_of
from tests.plugins.filesystem.conftest import Storage
from tests.plugins.filesystem.saving import restored, tree, verify
from tests.plugins.filesystem.trees import make_nasty_tree, names_in, picture
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.filesystem_archive.plugin import plugin


@pytest.fixture
def archiving(storage: Storage) -> Archiving:
    root = storage.destination.parent / "archives"
    root.mkdir()
    return Archiving(storage, plugin, {"ArchivePath": str(root)})


def test_a_fetched_tree_restores_a_nasty_source(archiving: Archiving, tmp_path: Path) -> None:
    storage = archiving.storage
    make_nasty_tree(storage.source)
    (storage.source / "changing").write_text("first")
    tree(storage, 7)
    before = picture(storage.source)
    (storage.source / "changing").write_text("second")
    tree(storage, 8)
    after = picture(storage.source)
    kept = {}
    for number in (7, 8):
        assert archiving.archive(number).code == 0
        kept[number] = contents(storage.folder / name_of(number))
        shutil.rmtree(storage.folder / name_of(number))
    for number, was in ((8, after), (7, before)):
        archiving.fetch(name_of(number))
        assert contents(storage.folder / name_of(number)) == kept[number]
        verify(storage, number)
        assert restored(storage, number, tmp_path / str(number)) == was


def test_the_next_tree_shares_with_a_fetched_one(archiving: Archiving) -> None:
    storage = archiving.storage
    (storage.source / "file").write_text("content")
    tree(storage, 7)
    archiving.archive()
    shutil.rmtree(storage.folder / name_of(7))
    archiving.fetch(name_of(7))
    tree(storage, 8)
    assert (storage.tree(8) / "file").stat().st_ino == (storage.tree(7) / "file").stat().st_ino
    verify(storage, 8)


@pytest.mark.parametrize("order", [("aa", "bb"), ("bb", "aa"), ("bb", "aa.b")])
def test_every_file_of_every_source_is_held_against_the_manifest(
    archiving: Archiving, order: tuple[str, str]
) -> None:
    sources = [archiving.storage.source / name for name in order]
    for source in sources:
        source.mkdir()
        for name in ("x", "x y", "x.z"):
            (source / name).write_text(f"{source}{name}")
    tree(archiving.storage, 7, BackupSrcPaths=",".join(map(str, sources)))
    assert archiving.archive().code == 0
    for source in sources:
        stored = archiving.storage.tree() / source.name / "x y"
        good = stored.read_bytes()
        stored.chmod(0o600)
        stored.write_bytes(good[::-1])
        shutil.rmtree(Path(archiving.parameters["ArchivePath"]) / "test")
        with pytest.raises(PluginFailed, match="the backup is damaged and is not archived"):
            archiving.archive()
        stored.write_bytes(good)
        assert names_in(Path(archiving.parameters["ArchivePath"]) / "test" / "shop") == []


def test_a_tree_that_lacks_a_file_is_not_archived(archiving: Archiving) -> None:
    (archiving.storage.source / "file").write_text("content")
    tree(archiving.storage)
    (archiving.storage.tree() / "file").unlink()
    with pytest.raises(PluginFailed, match="file is missing"):
        archiving.archive()
    assert names_in(Path(archiving.parameters["ArchivePath"])) == []
