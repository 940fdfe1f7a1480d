import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest

from tests.plugins.conftest import Call
from workflows_app.domain.errors import PluginFailed, PluginMissing
from workflows_app.domain.results import Discover, Level, Result
from workflows_app.plugins.base import AppPlugin, ArchivePlugin, StoragePlugin
from workflows_app.plugins.registry import PluginRegistry
from workflows_app.plugins.sample_app.plugin import SampleApp
from workflows_app.plugins.sample_archive.plugin import SampleArchive
from workflows_app.plugins.sample_storage.plugin import SampleStorage

ACME = """
from workflows_app.domain.results import PluginInfo, Result

class App:
    made = 0

    def __init__(self):
        type(self).made += 1

    def info(self):
        return PluginInfo(name="acme", type="app")

    def discover(self, context):
        return Result()

    def quiesce(self, context):
        return Result(code=7)

    def unquiesce(self, context):
        return Result()

    def pre_restore(self, context):
        return Result()

    def post_restore(self, context):
        return Result()

instance = App()

class Half:
    def info(self):
        return "half an answer"

    def quiesce(self, context):
        return Result()

class Rude(App):
    def info(self):
        return "no PluginInfo"

class Broken:
    def __init__(self):
        raise ValueError("no license")
"""


class Install(Protocol):
    def __call__(self, entry_points: str, group: str = ...) -> None: ...


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package ``acme-plugins`` with these entry points of the app family, for this test."""

    def write(entry_points: str, group: str = "fossul.app_plugins") -> None:
        (tmp_path / "acme_plugins.py").write_text(ACME)
        (tmp_path / "acme_quits.py").write_text("raise SystemExit('go away')")
        folder = tmp_path / "acme_plugins-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-plugins\nVersion: 1.2\n")
        (folder / "entry_points.txt").write_text(f"[{group}]\n{entry_points}\n")
        monkeypatch.syspath_prepend(tmp_path)

    yield write
    sys.modules.pop("acme_plugins", None)


def test_the_samples_are_built_in() -> None:
    registry = PluginRegistry()
    assert isinstance(registry.app("sample-app"), SampleApp)
    assert isinstance(registry.storage("sample-storage"), SampleStorage)
    assert isinstance(registry.archive("sample-archive"), SampleArchive)


def test_fossuls_native_names_find_the_plugins_that_replace_them() -> None:
    registry = PluginRegistry()
    assert registry.app("sample-app.so") is registry.app("sample-app")
    assert registry.storage("sample-storage.so") is registry.storage("sample-storage")
    assert registry.archive("sample-archive.so") is registry.archive("sample-archive")


def test_an_unknown_plugin_is_told_with_the_known_ones() -> None:
    registry = PluginRegistry()
    with pytest.raises(PluginMissing) as missing:
        registry.storage("tape.so")
    assert str(missing.value).startswith("There is no storage plugin 'tape.so' where this worker runs. ")
    known = ", ".join(found.name for found in registry.registered() if found.family == "storage")
    assert f"Known storage plugins: {known}. " in str(missing.value)
    assert "filesystem" in known
    with pytest.raises(PluginMissing, match="There is no app plugin 'sample-storage'"):
        registry.app("sample-storage")
    with pytest.raises(PluginMissing, match="Known archive plugins: aws, filesystem, s3, sample-archive"):
        registry.archive("tape")


@pytest.mark.parametrize("value", ["acme_plugins:App", "acme_plugins:instance"])
def test_an_installed_package_may_have_a_class_or_an_instance(
    install: Install, value: str, call: Call
) -> None:
    install(f"acme = {value}")
    assert PluginRegistry().app("acme").quiesce(call.context) == Result(code=7)


def test_a_plugin_is_imported_when_it_is_first_asked_for_and_made_once(install: Install) -> None:
    install("acme = acme_plugins:App")
    registry = PluginRegistry()
    registry.app("sample-app")
    assert "acme_plugins" not in sys.modules
    with ThreadPoolExecutor(8) as pool:
        plugins = set(pool.map(lambda _: registry.app("acme"), range(32)))
    assert len(plugins) == 1
    made: int = vars(type(plugins.pop()))["made"]
    assert made == 2, "once by the module, once by the registry"


def test_a_name_with_so_that_is_registered_itself_comes_first(install: Install) -> None:
    install("acme = acme_plugins:App\nacme.so = acme_plugins:instance")
    registry = PluginRegistry()
    assert registry.app("acme.so") is not registry.app("acme")


def test_nobody_takes_the_place_of_a_built_in_plugin(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install("sample-app = acme_plugins:App")
    assert isinstance(PluginRegistry().app("sample-app"), SampleApp)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "The app plugin 'sample-app' of acme-plugins 1.2, acme_plugins:App is ignored: built in, "
        "workflows_app.plugins.sample_app.plugin:plugin has that name already"
    )


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("acme_missing:App", "could not be loaded: ModuleNotFoundError: No module named 'acme_missing'"),
        (
            "acme_plugins:Gone",
            "could not be loaded: AttributeError: module 'acme_plugins' has no attribute 'Gone'",
        ),
        ("acme_plugins:Broken", "could not be loaded: ValueError: no license"),
        ("acme_quits:App", "could not be loaded: SystemExit: go away"),
        ("acme_plugins:Half", "is no app plugin: it has no discover, unquiesce"),
        ("acme_plugins:ACME", "could not be loaded"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_named_with_the_cause(
    install: Install, value: str, cause: str
) -> None:
    install(f"acme = {value}")
    with pytest.raises(PluginFailed) as failure:
        PluginRegistry().app("acme")
    assert str(failure.value).startswith(f"The app plugin 'acme' (acme-plugins 1.2, {value}) {cause}")


def test_a_plugin_of_another_family_is_refused(install: Install) -> None:
    install("acme = acme_plugins:App", group="fossul.storage_plugins")
    with pytest.raises(
        PluginFailed,
        match=r"is no storage plugin: it has no backup, .*backup_delete_workflow, restore, mount, unmount",
    ):
        PluginRegistry().storage("acme")


def test_infos_tell_of_every_plugin_that_works(install: Install, caplog: pytest.LogCaptureFixture) -> None:
    install("acme = acme_plugins:App\nbad = acme_plugins:Broken\nrude = acme_plugins:Rude")
    infos = PluginRegistry().infos()
    assert [info.name for info in infos if info.type == "app"] == [
        "acme", "mariadb", "mariadb-dump", "mongo", "mongo-dump", "postgres", "postgres-dump", "sample-app",
    ]  # fmt: skip
    assert "sample-storage" in [info.name for info in infos if info.type == "storage"]
    assert [info.name for info in infos if info.type == "archive"] == [
        "aws", "filesystem", "s3", "sample-archive",
    ]  # fmt: skip
    assert "No information about app plugin 'bad': PluginFailed(" in caplog.text
    assert "No information about app plugin 'rude': TypeError(" in caplog.text


def test_the_sample_app_says_what_fossuls_does(call: Call) -> None:
    plugin: AppPlugin = SampleApp()
    assert plugin.quiesce(call.context) == Result()
    assert plugin.unquiesce(call.context) == Result()
    assert plugin.pre_restore(call.context) == Result()
    assert plugin.post_restore(call.context) == Result()
    assert call.said == [
        (Level.INFO, "*** Application Quiesce ***"),
        (Level.INFO, "*** Application Unquiesce ***"),
        (Level.INFO, "*** Application PreRestore ***"),
        (Level.INFO, "*** Application PostRestore ***"),
    ]
    info = plugin.info()
    assert (info.name, info.type, info.version) == ("sample", "app", "1.0.0")
    assert [capability.name for capability in info.capabilities] == [
        "discover",
        "quiesce",
        "unquiesce",
        "preRestore",
        "postRestore",
        "info",
    ]
    assert [parameter.name for parameter in info.parameters] == ["SampleAppVar1", "SampleAppVar2"]


def test_the_sample_storage_says_what_fossuls_does(call: Call) -> None:
    plugin: StoragePlugin = SampleStorage()
    assert plugin.backup(call.context) == Result()
    assert plugin.backup_list(call.context) == ()
    assert plugin.backup_delete_workflow(call.context) == Result()
    assert plugin.restore(call.context) == Result()
    assert plugin.mount(call.context) == Result()
    assert plugin.unmount(call.context) == Result()
    assert call.said == [
        (Level.INFO, "*** Backup ***"),
        (Level.INFO, "*** Backup Delete Workflow ***"),
        (Level.INFO, "*** Restore ***"),
        (Level.INFO, "Mount not implemented or required"),
        (Level.INFO, "Unmount not implemented or required"),
    ]
    info = plugin.info()
    assert (info.name, info.type, info.version) == ("sample-storage", "storage", "1.0.0")
    assert [capability.name for capability in info.capabilities] == [
        "backup",
        "restore",
        "backupList",
        "backupDeleteWorkflow",
        "info",
    ]
    assert [parameter.name for parameter in info.parameters] == ["SampleStorageVar1", "SampleStorageVar2"]


def test_the_sample_app_discovers_what_fossuls_does(call: Call) -> None:
    paths = {
        "data": ("/path/to/data/file1", "/path/to/data/file2"),
        "logs": ("/path/to/logs/file1", "/path/to/logs/file2"),
    }
    assert SampleApp().discover(call.context) == Result(
        discover_list=(Discover(instance="inst1", **paths), Discover(instance="inst2", **paths))
    )
    files = (
        "data files: [/path/to/data/file1 /path/to/data/file2] "
        "log files: [/path/to/logs/file1 /path/to/logs/file2]"
    )
    assert call.said == [
        (Level.INFO, "*** Application Discovery ***"),
        (Level.INFO, f"Instance [inst1] {files}"),
        (Level.INFO, f"Instance [inst2] {files}"),
    ]


def test_the_sample_archive_says_what_fossuls_does(call: Call) -> None:
    plugin: ArchivePlugin = SampleArchive()
    assert plugin.archive(call.context) == Result()
    assert plugin.archive_list(call.context) == ()
    assert plugin.archive_delete(call.context) == Result()
    assert call.said == [(Level.INFO, "*** Archive ***"), (Level.INFO, "*** Archive Delete ***")]
    info = plugin.info()
    assert (info.name, info.type, info.version) == ("sample-archive", "archive", "1.0.0")
    assert [capability.name for capability in info.capabilities] == [
        "archive",
        "archiveList",
        "archiveDelete",
        "info",
    ]
