"""What the tests of files in pods share: a pod with files, a destination, and runs between the two."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.kubernetes.api_server import ApiServer, ready_pod
from tests.plugins.kubernetes.conftest import ClusterCall
from workflows_app.domain.config import Config, Retention
from workflows_app.domain.results import Backup, Result
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.container_basic.plugin import plugin
from workflows_app.plugins.kubernetes_files.storage import PodFilesStorage

EPOCH = 1_700_000_000


class PodStorage:
    """A pod whose files are at ``source``, and backups of them. Its processes see this machine's disk."""

    def __init__(self, root: Path, server: ApiServer, storage: PodFilesStorage = plugin) -> None:
        self.server = server
        self.storage = storage
        self.source = root / "pod" / "data"
        self.source.mkdir(parents=True)
        self.destination = root / "destination"
        self.destination.mkdir()
        self.folder = self.destination / "test" / "shop"
        self.last = ClusterCall({})

    def call(self, number: int = 7, *, keep: int = 3, **parameters: str) -> ClusterCall:
        """The call of a run. What it said is in ``last``."""
        retention = Retention(policy="daily", retention_number=keep)
        config = Config(profile_name="test", config_name="shop", backup_retentions=(retention,))
        given = {
            "Namespace": "shop",
            "PodSelector": "db",
            "KubeConfig": str(self.server.kubeconfig()),
            "BackupSrcPaths": str(self.source),
            "BackupDestPath": str(self.destination),
        }
        self.last = ClusterCall(given | parameters, config.for_run(number, "daily", EPOCH + number))
        return self.last

    def backup(self, number: int = 7, **parameters: str) -> Result:
        return self.storage.backup(self.call(number, **parameters).context)

    def restore(self, backup: Backup, *, number: int = 99, **asked: object) -> Result:
        call = self.call(number)
        config = call.config.for_restore(number, backup, EPOCH + number)
        context = replace(call.context, config=config, restore=RestoreRequest.model_validate(asked))
        return self.storage.restore(context)

    def of(self, backup: Backup, number: int = 50) -> ClusterCall:
        """The call of an action on one backup."""
        call = self.call(number)
        call.context = replace(call.context, config=call.config.model_copy(update={"backup": backup}))
        return call

    def kept(self) -> list[str]:
        """All that is at the destination for this configuration, hidden or not."""
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []


@pytest.fixture
def pod_server(tmp_path: Path) -> Iterator[ApiServer]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    server = ApiServer(folder)
    server.add("shop", ready_pod("db-0"))
    with server.running():
        yield server


@pytest.fixture
def pod(tmp_path: Path, pod_server: ApiServer) -> PodStorage:
    return PodStorage(tmp_path, pod_server)
