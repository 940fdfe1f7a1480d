import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.filesystem.conftest import EPOCH, Storage
from tests.plugins.filesystem.trees import make_nasty_tree, odd, picture
from workflows_app.plugins.filesystem.manifest import ManifestBroken, read_ends


def lines_of(manifest: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in manifest.read_text(encoding="ascii").splitlines()]


def test_the_first_line_tells_of_the_backup_and_the_last_of_the_archive(storage: Storage) -> None:
    (storage.source / "one").write_bytes(b"12345")
    (storage.source / "two").hardlink_to(storage.source / "one")
    (storage.source / "folder").mkdir()
    storage.backup()
    first, *_, last = lines_of(storage.manifest())
    archive = storage.archive().read_bytes()
    lines = storage.manifest().read_bytes().splitlines(keepends=True)
    assert first == {
        "format": "fossul-manifest/1",
        "backup": {
            "name": f"shop-daily-7-{EPOCH + 7}",
            "policy": "daily",
            "workflowId": "7",
            "epoch": EPOCH + 7,
        },
        "sources": [str(storage.source)],
    }
    assert last == {
        "archive": {
            "file": storage.archive().name,
            "size": len(archive),
            "sha256": hashlib.sha256(archive).hexdigest(),
        },
        "files": 2,
        "bytes": 5,
        "lines": hashlib.sha256(b"".join(lines[:-1])).hexdigest(),
    }


def test_every_line_between_tells_of_a_member_as_it_is_on_disk(storage: Storage) -> None:
    make_nasty_tree(storage.source)
    on_disk = picture(storage.source)
    storage.backup()
    members = lines_of(storage.manifest())[1:-1]
    root = str(storage.source).lstrip("/")
    found = {os.path.relpath(member["path"], root): member for member in members}
    assert len(found) == len(members)
    assert found.keys() == on_disk.keys()
    for path, member in found.items():
        was = on_disk[path]
        assert member["mode"] == was.mode & 0o7777
        assert (member["uid"], member["gid"], member["mtime_ns"]) == (was.uid, was.gid, was.mtime_ns)
        if member["type"] == "file":
            assert member["sha256"] == was.content
            assert member["size"] == (storage.source / path).lstat().st_size
        else:
            assert (member["sha256"], member["size"]) == (None, 0)
    assert found["link"]["link"] == "plain.txt"
    assert found["odd-link"]["link"] == odd(b"odd-\xff-target")
    twins = [found[path] for path, was in on_disk.items() if was.twin == on_disk["twin-a"].twin]
    assert sorted(twin["type"] for twin in twins) == ["file", "hardlink", "hardlink"]
    assert {twin["link"] for twin in twins if twin["link"]} == {f"{root}/{on_disk['twin-a'].twin}"}


def test_members_are_in_the_order_of_their_names(storage: Storage) -> None:
    for name in ("b", "a-", "a", "a.txt"):
        (storage.source / name).mkdir()
        (storage.source / name / "inside").write_text(name)
    storage.backup()
    paths = [member["path"].split("/") for member in lines_of(storage.manifest())[1:-1]]
    assert paths == sorted(paths)


def test_a_file_that_only_root_may_read_is_not_readable_in_the_backup(storage: Storage) -> None:
    (storage.source / "secret").write_text("content")
    storage.backup()
    for path in (storage.archive(), storage.manifest()):
        assert path.stat().st_mode & 0o777 == 0o600
    assert storage.archive().parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("[]\n", "no JSON object"),
        ('{"format":"other/1"}\n', "first line does not say"),
        ('{"format":"fossul-manifest/1"}\n', "first line does not tell of a backup"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "manifest").write_text(text)
    with pytest.raises(ManifestBroken, match=why):
        read_ends(tmp_path / "manifest")


def test_a_manifest_cut_off_anywhere_is_not_complete(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    storage.backup()
    whole = storage.manifest().read_bytes()
    for length in range(len(whole)):
        storage.manifest().write_bytes(whole[:length])
        with pytest.raises(ManifestBroken):
            read_ends(storage.manifest())
