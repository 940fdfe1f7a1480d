"""A restore of chosen files and folders touches these and nothing else, from either format."""

import os
import stat
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from tests.plugins.filesystem.conftest import Storage, powerless
from tests.plugins.filesystem.restoring import Restoring
from tests.plugins.filesystem.trees import MiB, everything, make_nasty_tree, names_in, odd, picture
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.file_listings import FileQuery
from workflows_app.domain.results import Level
from workflows_app.plugins.filesystem.plugin import plugin

pytestmark = pytest.mark.parametrize("form", ["archive", "tree"])


@pytest.fixture
def restoring(storage: Storage) -> Restoring:
    return Restoring(storage)


def fill(source: Path) -> None:
    """Some folders with files."""
    for path in ("top", "a/one", "a/two", "a/deep/er/three", "ab/four", "b/five"):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(f"content of {path}")
    for folder in ("a/deep/er", "a/deep", "a", "ab", "b"):
        os.utime(source / folder, ns=(10**18 + 5, 10**18 + 5))
        (source / folder).chmod(0o751)


def test_one_file_is_put_back_and_the_rest_is_left(storage: Storage, restoring: Restoring, form: str) -> None:
    fill(storage.source)
    storage.backup(Format=form)
    for path in ("a/one", "a/two", "ab/four"):
        (storage.source / path).write_text("changed")
    (storage.source / "a" / "new").write_text("new")
    before = picture(storage.source)
    assert restoring.restore(files=(storage.source / "a" / "one",)).code == 0
    after = picture(storage.source)
    assert (storage.source / "a" / "one").read_text() == "content of a/one"
    differ = {path for path in before if before[path] != after[path]}
    # A folder's time changes with whatever is put into it.
    assert differ == {"a", "a/one"}
    assert after.keys() == before.keys()
    assert restoring.lines()[-1] == (
        f"Backup {storage.manifest().parent.name} restored to {storage.source}/a: 1 file, 16 B"
    )
    assert any(line.startswith(f"Restoring {storage.source}/a/one of backup ") for line in restoring.lines())


def test_a_folder_is_put_back_with_all_that_is_in_it(
    storage: Storage, restoring: Restoring, form: str
) -> None:
    fill(storage.source)
    wanted = picture(storage.source / "a")
    storage.backup(Format=form)
    (storage.source / "a" / "deep" / "er" / "three").unlink()
    (storage.source / "a" / "deep" / "er").rmdir()
    (storage.source / "a").chmod(0o700)
    (storage.source / "ab" / "four").write_text("changed")
    restoring.restore(files=(storage.source / "a",))
    assert picture(storage.source / "a") == wanted
    assert (storage.source / "ab" / "four").read_text() == "changed"


def test_missing_folders_above_get_their_attributes_and_present_ones_keep_theirs(
    storage: Storage, restoring: Restoring, form: str
) -> None:
    fill(storage.source)
    storage.backup(Format=form)
    (storage.source / "a" / "deep" / "er" / "three").unlink()
    (storage.source / "a" / "deep" / "er").rmdir()
    (storage.source / "a" / "deep").rmdir()
    (storage.source / "a").chmod(0o700)
    restoring.restore(files=(storage.source / "a" / "deep" / "er" / "three",))
    for made in ("a/deep", "a/deep/er"):
        status = (storage.source / made).stat()
        assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o751, 10**18 + 5)
    assert stat.S_IMODE((storage.source / "a").stat().st_mode) == 0o700
    assert names_in(storage.source / "a") == ["deep", "one", "two"]


def test_below_a_target_only_what_was_chosen_appears(
    storage: Storage, restoring: Restoring, tmp_path: Path, form: str
) -> None:
    fill(storage.source)
    storage.backup(Format=form)
    out = tmp_path / "out"
    chosen = ("a/one", "b", "a/deep", "a/deep/er/three")
    assert restoring.restore(target=out, files=tuple(storage.source / name for name in chosen)).code == 0
    root = out / str(storage.source).lstrip("/")
    assert {str(path.relative_to(root)) for path in everything(root)} == {
        *("a", "a/one", "a/deep", "a/deep/er", "a/deep/er/three", "b", "b/five")
    }
    assert restoring.lines()[-1].endswith(": 3 files, 59 B")


def test_every_single_thing_of_a_nasty_tree_can_be_chosen(
    storage: Storage, restoring: Restoring, tmp_path: Path, form: str
) -> None:
    make_nasty_tree(storage.source)
    before = picture(storage.source)
    storage.backup(Format=form)
    for number, name in enumerate(names_in(storage.source)):
        out = tmp_path / f"out{number}"
        assert restoring.restore(target=out, files=(storage.source / name,)).code == 0, name
        got = picture(out / str(storage.source).lstrip("/"))
        for path, was in before.items():
            if path.split("/")[0] == name:
                assert got.pop(path).__dict__ | {"twin": ""} == was.__dict__ | {"twin": ""}
        assert set(got) == {"."}


def test_the_keys_are_those_of_the_browser(
    storage: Storage, restoring: Restoring, tmp_path: Path, form: str
) -> None:
    name = odd(b"100% \xff?#\n")
    (storage.source / name).write_text("odd")
    storage.backup(Format=form)
    context = storage.context()
    config = context.config.model_copy(update={"backup": restoring.backup(7)})
    found = plugin.backup_browse(replace(context, config=config), FileQuery(search="100%"))
    (entry,) = found.entries
    restoring.restore(target=tmp_path / "out", files=(os.fsdecode(unquote_to_bytes(entry.key)),))
    assert (tmp_path / "out" / str(storage.source).lstrip("/") / name).read_text() == "odd"


def test_a_hard_link_whose_first_name_is_not_chosen_comes_with_its_content(
    storage: Storage, restoring: Restoring, tmp_path: Path, form: str
) -> None:
    first = storage.source / "a" / "first"
    first.parent.mkdir()
    first.write_bytes(os.urandom(MiB + 5))
    first.chmod(0o640)
    (storage.source / "a" / "zz").write_text("after")
    for name in ("b/second", "c/third"):
        (storage.source / name).parent.mkdir()
        (storage.source / name).hardlink_to(first)
    for folder in ("a", "b", "c"):
        os.utime(storage.source / folder, ns=(10**18, 10**18))
    before = picture(storage.source)
    storage.backup(Format=form)
    out = tmp_path / "out"
    chosen = ("a/zz", "b/second", "c")
    assert restoring.restore(target=out, files=tuple(storage.source / name for name in chosen)).code == 0
    root = out / str(storage.source).lstrip("/")
    after = picture(root)
    assert set(after) == {".", "a", "a/zz", "b", "b/second", "c", "c/third"}
    assert after["b/second"].content == before["a/first"].content
    assert (after["b/second"].mode, after["b/second"].mtime_ns) == (
        before["a/first"].mode,
        before["a/first"].mtime_ns,
    )
    assert after["c/third"].twin == "b/second"
    assert [after[folder].mtime_ns for folder in ("a", "b", "c")] == [10**18] * 3
    assert restoring.lines()[-1].endswith(": 3 files, 1.0 MiB")


def test_a_dry_run_tells_of_what_was_chosen_and_writes_nothing(
    storage: Storage, restoring: Restoring, form: str
) -> None:
    fill(storage.source)
    storage.backup(Format=form)
    (storage.source / "a" / "one").write_text("changed to something else")
    (storage.source / "a" / "new").write_text("new")
    (storage.source / "b" / "five").unlink()
    before = picture(storage.source)
    chosen = (storage.source / "a", storage.source / "b" / "five")
    assert restoring.restore(files=chosen, dry_run=True).code == 0
    assert picture(storage.source) == before
    text = "\n".join(restoring.lines())
    assert f"{storage.source}/a/one (16 B): would be changed: size 25 B becomes 16 B" in text
    assert f"{storage.source}/a/new (3 B): not in the backup, left as it is" in text
    assert f"{storage.source}/b/five (17 B): would be created" in text
    assert "top" not in text
    assert "1 to create (17 B), " in restoring.lines()[-1]


@pytest.mark.parametrize("name", ["nothing", "a/none", "../other", "on"])
def test_what_the_backup_does_not_hold_is_refused_by_name(
    storage: Storage, restoring: Restoring, form: str, name: str
) -> None:
    fill(storage.source)
    storage.backup(Format=form)
    before = picture(storage.source)
    with pytest.raises(PluginFailed, match="The backup does not hold ") as refused:
        restoring.restore(files=(storage.source / "a" / "one", f"{storage.source}/{name}"))
    assert f"{storage.source}/{name}: look" in str(refused.value)
    assert picture(storage.source) == before


@pytest.mark.parametrize("key", ["a/one", "/", "", "/a\0b"])
def test_what_is_no_key_is_refused(storage: Storage, restoring: Restoring, form: str, key: str) -> None:
    fill(storage.source)
    storage.backup(Format=form)
    with pytest.raises(ConfigInvalid) as refused:
        restoring.restore(files=(key,))
    assert refused.value.field == "files"


def test_a_link_in_the_place_of_a_folder_above_is_not_followed(
    storage: Storage, restoring: Restoring, tmp_path: Path, form: str
) -> None:
    fill(storage.source)
    storage.backup(Format=form)
    (storage.source / "b" / "five").unlink()
    (storage.source / "b").rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (storage.source / "b").symlink_to(elsewhere)
    with pytest.raises(PluginFailed, match=f"{storage.source}/b is a symbolic link now"):
        restoring.restore(files=(storage.source / "b" / "five",))
    assert names_in(elsewhere) == []


def test_a_chosen_link_takes_the_place_of_what_is_there(
    storage: Storage, restoring: Restoring, form: str
) -> None:
    (storage.source / "link").symlink_to("somewhere")
    storage.backup(Format=form)
    (storage.source / "link").unlink()
    (storage.source / "link").write_text("a file now")
    assert restoring.restore(files=(storage.source / "link",)).code == 0
    assert (storage.source / "link").readlink() == Path("somewhere")


def test_only_the_room_for_what_was_chosen_is_asked_for(
    storage: Storage, restoring: Restoring, form: str
) -> None:
    fill(storage.source)
    storage.backup(Format=form)
    restoring.restore(files=(storage.source / "a" / "one",))
    assert [(r.total_bytes, r.total_files) for r in restoring.reports if r.note == "restoring"][-1] == (16, 1)


def test_who_is_not_root_restores_a_file_of_his_own(open_storage: Storage, form: str) -> None:
    with powerless():
        folder = open_storage.source.with_name("mine")
        folder.mkdir()
        (folder / "file").write_text("content")
        open_storage.backup(Format=form, BackupSrcPaths=str(folder))
        (folder / "file").write_text("changed")
        restoring = Restoring(open_storage)
        assert restoring.restore(files=(folder / "file",)).code == 0
        assert (folder / "file").read_text() == "content"
        assert restoring.lines(Level.WARN) == []
