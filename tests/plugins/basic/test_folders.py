"""Which executables are plugins, and how the registry finds them."""

import logging
import os
from pathlib import Path

import pytest

from tests.plugins.basic.conftest import Folder
from workflows_app.domain.errors import PluginFailed, PluginMissing
from workflows_app.plugins.base import AppPlugin, ArchivePlugin, StoragePlugin
from workflows_app.plugins.basic.folders import PluginFolders
from workflows_app.plugins.registry import PluginRegistry
from workflows_app.plugins.sample_app.plugin import SampleApp


def refusal(folder: Folder, name: str = "acme", family: str = "app") -> str:
    """Why the registry does not use an executable."""
    registry = PluginRegistry(folders=[folder.root])
    with pytest.raises(PluginFailed) as refused:
        registry.find(family, name)
    assert name not in [plugin.name for plugin in registry.registered()]
    return str(refused.value)


def test_an_executable_of_each_family_is_a_plugin_of_it(folder: Folder) -> None:
    for family in ("app", "storage", "archive"):
        folder.shell(family, "")
    registry = PluginRegistry(folders=[folder.root])
    assert isinstance(registry.app("acme"), AppPlugin)
    assert isinstance(registry.storage("acme"), StoragePlugin)
    assert isinstance(registry.archive("acme"), ArchivePlugin)
    assert [info.type for info in registry.infos() if info.name == "acme"] == ["app", "storage", "archive"]


def test_a_new_executable_is_found_and_an_old_one_forgotten_without_a_restart(folder: Folder) -> None:
    registry = PluginRegistry(folders=[folder.root])
    with pytest.raises(PluginMissing, match="put an executable of that name into a plugin folder"):
        registry.app("acme")
    path = folder.shell("app", "")
    assert registry.app("acme") is registry.app("acme"), "made once"
    path.unlink()
    with pytest.raises(PluginMissing):
        registry.app("acme")


def test_fossuls_native_name_finds_the_executable_that_replaces_it(folder: Folder) -> None:
    folder.shell("app", "")
    registry = PluginRegistry(folders=[folder.root])
    assert registry.app("acme.so") is registry.app("acme")


def test_a_native_plugin_of_fossul_is_never_run(folder: Folder) -> None:
    folder.add("app", "acme.so", "\x7fELF")
    registry = PluginRegistry(folders=[folder.root])
    with pytest.raises(PluginMissing):
        registry.app("acme.so")
    assert "acme.so" not in [plugin.name for plugin in registry.registered()]


def test_a_built_in_plugin_keeps_its_place_and_the_clash_is_logged_once(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    folder.shell("app", "", name="sample-app")
    registry = PluginRegistry(folders=[folder.root])
    registry.registered()
    registry.registered()
    assert isinstance(registry.app("sample-app"), SampleApp)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "The executable app plugin 'sample-app' is ignored: built in, "
        "workflows_app.plugins.sample_app.plugin:plugin has that name already"
    )


def test_the_first_folder_wins(folder: Folder, tmp_path: Path) -> None:
    second = Folder(tmp_path / "second")
    first_path = folder.shell("app", "")
    second.shell("app", "")
    other = second.shell("app", "", name="other")
    folders = PluginFolders([folder.root, second.root])
    assert folders.find("app", "acme") == first_path
    assert folders.find("app", "other") == other
    assert folders.names("app") == ("acme", "other")


@pytest.mark.parametrize(
    "name", ["../storage/acme", "/bin/sh", "..", ".", "", "a/b", ".hidden", "a\0b", "a b", "é", "x" * 64]
)
def test_a_name_never_leaves_its_folder(folder: Folder, name: str) -> None:
    folder.shell("storage", "")
    folder.add("app", ".hidden", "#!/bin/sh\n")
    with pytest.raises(PluginMissing):
        PluginRegistry(folders=[folder.root]).app(name)


def test_a_link_within_the_folder_is_followed_and_one_out_of_it_refused(
    folder: Folder, tmp_path: Path
) -> None:
    folder.shell("app", "")
    elsewhere = folder.shell("storage", "")
    (folder.root / "app" / "same").symlink_to("acme")
    (folder.root / "app" / "out").symlink_to(elsewhere)
    (folder.root / "app" / "gone").symlink_to("nowhere")
    (folder.root / "app" / "circle").symlink_to("circle")
    assert PluginFolders([folder.root]).find("app", "same")
    assert "a symbolic link leads out of its folder" in refusal(folder, "out")
    assert "No such file or directory" in refusal(folder, "gone")
    assert refusal(folder, "circle")


def test_a_family_that_is_a_link_out_of_the_folder_is_refused(folder: Folder, tmp_path: Path) -> None:
    other = Folder(tmp_path / "other")
    other.shell("app", "")
    (folder.root / "app").symlink_to(other.root / "app")
    assert "a symbolic link leads out of its folder" in refusal(folder)


@pytest.mark.parametrize("which", ["app/acme", "app", "."])
def test_what_every_user_may_write_is_refused_with_what_to_do(
    folder: Folder, caplog: pytest.LogCaptureFixture, which: str
) -> None:
    folder.shell("app", "")
    place = (folder.root / which).resolve()
    place.chmod(0o777)
    assert f"every user may write {place}. Run: chmod o-w {place}" in refusal(folder)
    assert "every user may write" in caplog.text, "a listing logs why one is missing"


def test_a_folder_that_every_user_may_replace_is_refused(folder: Folder, tmp_path: Path) -> None:
    folder.shell("app", "")
    tmp_path.chmod(0o777)
    assert f"every user may replace what is in {tmp_path}" in refusal(folder)
    tmp_path.chmod(0o1777)
    assert PluginFolders([folder.root]).find("app", "acme")


def test_a_file_that_nobody_may_execute_is_told_when_asked_for_and_not_listed(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    path = folder.shell("app", "")
    path.chmod(0o644)
    assert f"may not execute it. Run: chmod +x {path}" in refusal(folder)
    assert caplog.text == "", "documentation and data lie beside plugins"


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("#!/no/such/sh -e\n", "the interpreter in its first line is not there, '/no/such/sh'"),
        ("#! /bin/sh\r\n", r"is not there, '/bin/sh\r'. End its lines without carriage returns"),
    ],
)
def test_a_script_without_its_interpreter_is_told(folder: Folder, first: str, words: str) -> None:
    folder.add("app", "acme", f"{first}echo INFO hello\n")
    assert refusal(folder).endswith(words)


def test_what_is_no_regular_file_is_refused(folder: Folder) -> None:
    (folder.root / "app").mkdir()
    os.mkfifo(folder.root / "app" / "acme", 0o700)
    assert "it is no regular file" in refusal(folder)


def test_folders_that_are_not_there_are_empty(tmp_path: Path) -> None:
    folders = PluginFolders([tmp_path / "none"])
    assert folders.names("app") == ()
    assert folders.find("app", "acme") is None
