"""What a file has that no backup keeps is told."""

import os

import pytest

from tests.plugins.filesystem.conftest import Storage
from workflows_app.domain.results import Level
from workflows_app.plugins.filesystem.notices import Notice


@pytest.mark.parametrize("form", ["archive", "tree"])
def test_files_and_folders_with_extended_attributes_are_named(storage: Storage, form: str) -> None:
    folder = storage.source / "folder"
    folder.mkdir()
    for name in ("plain", "marked", "folder/deep"):
        (storage.source / name).write_text(name)
    (storage.source / "link").symlink_to("marked")
    marked = [storage.source / "marked", folder]
    for path in marked:
        try:
            os.setxattr(path, "user.origin", b"scanner")
        except OSError:
            pytest.skip("the disk of the tests knows no extended attributes")
    for number in (7, 8):  # the second tree links what is unchanged
        assert storage.backup(number, Format=form).code == 0
        told = [line for line in storage.lines(Level.WARN) if line.endswith(Notice.UNKEPT)]
        assert sorted(told) == sorted(f"{path}: {Notice.UNKEPT}" for path in marked)
