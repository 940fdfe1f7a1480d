"""The storage plugin ``tar``: what it has of its own beside ``container-basic``."""

import shutil
from pathlib import Path

import pytest

from tests.plugins.container_basic.conftest import EPOCH, PodStorage
from tests.plugins.filesystem.trees import make_nasty_tree, picture
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Backup
from workflows_app.plugins.container_basic.plugin import ContainerBasicStorage
from workflows_app.plugins.registry import PluginRegistry
from workflows_app.plugins.tar.plugin import TarStorage


def test_a_configuration_of_fossul_is_enough(tar_pod: PodStorage) -> None:
    """No folder for backups, and the name of a program that is not needed."""
    make_nasty_tree(tar_pod.source)
    before = picture(tar_pod.source)
    backup = tar_pod.backup(BackupDestPath="", KubeCmd="./kubectl").backup
    assert tar_pod.kept() == [f"shop-daily-7-{EPOCH + 7}"]
    assert tar_pod.last.lines()[:2] == [
        "Performing tar backup",
        "The parameter KubeCmd is not used: the worker speaks to the cluster itself",
    ]
    call = tar_pod.call(BackupDestPath="")
    assert tar_pod.storage.backup_list(call.context) == (backup,)
    shutil.rmtree(tar_pod.source)
    object.__setattr__(call.context, "config", call.config.for_restore(99, backup, EPOCH))
    tar_pod.storage.restore(call.context)
    assert picture(tar_pod.source) == before


def test_the_restore_path_of_the_configuration_is_taken(tar_pod: PodStorage, tmp_path: Path) -> None:
    (tar_pod.source / "file").write_text("x")
    backup = tar_pod.backup().backup
    call = tar_pod.call(RestorePath=str(tmp_path / "pod" / "restored"))
    object.__setattr__(call.context, "config", call.config.for_restore(99, backup, EPOCH))
    tar_pod.storage.restore(call.context)
    assert (tmp_path / "pod" / "restored" / tar_pod.source.relative_to("/") / "file").read_text() == "x"


def test_a_backup_that_is_not_there_is_told(tar_pod: PodStorage) -> None:
    with pytest.raises(PluginFailed, match=r"no longer available for workflow id \[3\]"):
        tar_pod.restore(Backup(name=f"shop-daily-3-{EPOCH}", policy="daily", workflow_id="3"))


@pytest.mark.parametrize("name", ["tar", "tar.so"])
def test_fossuls_name_finds_tar(name: str) -> None:
    assert isinstance(PluginRegistry().storage(name), TarStorage)


@pytest.mark.parametrize("name", ["container-basic", "container-basic.so"])
def test_fossuls_name_finds_container_basic(name: str) -> None:
    assert isinstance(PluginRegistry().storage(name), ContainerBasicStorage)


def test_only_what_is_needed_is_required() -> None:
    required = {
        plugin.info().name: {spec.name for spec in plugin.info().parameters if spec.required}
        for plugin in (TarStorage(), ContainerBasicStorage())
    }
    assert required == {
        "tar": {"Namespace", "BackupSrcPaths"},
        "container-basic": {"Namespace", "BackupSrcPaths", "BackupDestPath"},
    }
