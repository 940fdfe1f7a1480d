"""The demo: what a first start offers to run."""

import os
import subprocess
from pathlib import Path

import pytest

from workflows_app.domain.config import CommandField, Config
from workflows_app.domain.plans.plans import backup_plan
from workflows_app.models import BackupConfig, Profile
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.parameters import Parameters
from workflows_app.plugins.registry import PluginRegistry
from workflows_app.services.configurations import catalog
from workflows_app.services.people.permissions import command_line
from workflows_app.services.setup import demo, sample_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample files."""
    folder = tmp_path_factory.mktemp("sample") / "source"
    sample_tree.grow(folder)
    return folder


def everything(folder: Path) -> list[tuple[str, int, int, int]]:
    """Path, mode, size and time of all that is in a folder, its own time included."""
    paths = [folder, *folder.rglob("*")]
    stats = [(str(path.relative_to(folder)), path.lstat()) for path in sorted(paths)]
    return [
        (path, stat.st_mode, 0 if path == "." else stat.st_size, stat.st_mtime_ns) for path, stat in stats
    ]


def test_the_sample_files_are_worth_a_backup(tree: Path) -> None:
    files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    assert 350 <= len(files) <= 450
    assert 40 * 2**20 <= sum(path.stat().st_size for path in files) <= 60 * 2**20
    links = [path for path in tree.rglob("*") if path.is_symlink()]
    assert {path.is_dir() for path in links} == {True, False}, "a link to a folder, and one to a file"
    assert all(path.exists() for path in links)
    assert any(path.is_dir() and not any(path.iterdir()) for path in tree.rglob("*"))
    assert len({path.stat().st_mode & 0o777 for path in files}) >= 4
    assert any("Ü" in path.name and " " in path.name for path in files)


def test_the_sample_files_are_the_same_everywhere_and_are_made_once(tree: Path, tmp_path: Path) -> None:
    again = tmp_path / "source"
    sample_tree.grow(again)
    assert everything(again) == everything(tree)
    picture = next(again.rglob("*.jpeg"))
    assert picture.read_bytes() == (tree / picture.relative_to(again)).read_bytes()
    picture.unlink()
    sample_tree.grow(again)
    assert not picture.exists()


def test_what_an_interrupted_start_left_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "source.partial").mkdir()
    (tmp_path / "source.partial" / "rest").touch()
    sample_tree.grow(tmp_path / "source")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    assert not (tmp_path / "source" / "rest").exists()


@pytest.fixture
def installed(settings, tmp_path: Path, db) -> Config:
    """The demo's configuration for a run, as a run gets it."""
    settings.FOSSUL_VAR_DIR = tmp_path
    (tmp_path / "demo" / "source" / "letters").mkdir(parents=True)
    (tmp_path / "demo" / "source" / "letters" / "one.txt").write_text("dear all")
    assert demo.install()
    config = catalog.order_backup(command_line("tests"), "demo", "files", "daily").config
    return config.for_run(1, "daily", 1_700_000_000)


def test_the_demo_can_be_run_by_the_plugins_that_it_names(installed: Config, tmp_path: Path) -> None:
    registry = PluginRegistry()
    assert registry.app(installed.app_plugin).info().type == "app"
    assert registry.storage(installed.storage_plugin).info().type == "storage"
    context = PluginContext(
        config=installed, parameters=installed.storage_plugin_parameters, say=lambda level, text: None
    )
    parameters = Parameters.of(context)
    assert parameters.sources == (tmp_path / "demo" / "source",)
    assert parameters.bandwidth
    assert len(list(backup_plan(installed).steps)) == 10


def test_the_demo_has_two_policies(installed: Config) -> None:
    assert [(r.policy, r.retention_number) for r in installed.backup_retentions] == [
        ("daily", 5),
        ("weekly", 2),
    ]


def test_the_commands_of_the_demo_can_be_run(installed: Config) -> None:
    stocktaking = installed.command(CommandField.BACKUP_CREATE).split(",")
    done = subprocess.run(stocktaking, capture_output=True, text=True, check=True, env={}, timeout=30)
    assert done.stdout == "letters: 1 files, 0.0 MiB\n"
    assert os.access(stocktaking[0], os.X_OK)


@pytest.mark.django_db
def test_where_there_is_a_profile_no_demo_is_made(settings, tmp_path: Path) -> None:
    settings.FOSSUL_VAR_DIR = tmp_path
    Profile.objects.create(name="mine")
    assert not demo.install()
    assert not BackupConfig.objects.exists()
    assert not (tmp_path / "demo").exists()


@pytest.mark.django_db
def test_no_demo_is_made_where_its_paths_would_fall_apart(settings, tmp_path: Path) -> None:
    settings.FOSSUL_VAR_DIR = tmp_path / "here, there"
    assert not demo.install()
    assert not Profile.objects.exists()
