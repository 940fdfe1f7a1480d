"""What the tests of the plugin ``csi`` share: a cluster with an application, and runs on it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.csi.storage_cluster import DRIVER, StorageCluster
from tests.plugins.kubernetes.conftest import ClusterCall
from workflows_app.domain.config import Config, Retention
from workflows_app.domain.results import Backup, Level, Result
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.csi import waiting
from workflows_app.plugins.csi.plugin import plugin

EPOCH = 1_700_000_000


class App:
    """The application ``shop`` in a cluster, and the runs of its configuration."""

    def __init__(self, cluster: StorageCluster) -> None:
        self.cluster = cluster
        self.given = {
            "Namespace": "shop",
            "KubeConfig": str(cluster.kubeconfig()),
            "DeploymentName": "shop",
            "SnapshotTimeoutSeconds": "2",
            "BindTimeoutSeconds": "2",
        }
        self.held: frozenset[str] = frozenset()
        self.call = ClusterCall(self.given)

    def backup(self, number: int = 7, **given: str) -> Result:
        return plugin.backup(self.context(number, **given))

    def backups(self) -> tuple[Backup, ...]:
        return plugin.backup_list(self.context())

    def names(self) -> list[str]:
        return [backup.name for backup in self.backups()]

    def retain(self, keep: int, number: int) -> Result:
        retention = Retention(policy="daily", retention_number=keep)
        config = Config(profile_name="test", config_name="shop", backup_retentions=(retention,))
        return plugin.backup_delete_workflow(self.context(number, config))

    def restore(self, number: int = 7, dry_run: bool = False, **given: str) -> Result:
        chosen = next(backup for backup in self.backups() if backup.workflow_id == str(number))
        context = self.of(chosen, **given)
        return plugin.restore(replace(context, restore=RestoreRequest(dry_run=dry_run)))

    def of(self, backup: Backup, **given: str) -> PluginContext:
        context = self.context(90, **given)
        return replace(context, config=context.config.model_copy(update={"backup": backup}))

    def context(self, number: int = 7, config: Config | None = None, **given: str) -> PluginContext:
        config = config or Config(profile_name="test", config_name="shop")
        self.call = ClusterCall(self.given | given, config.for_run(number, "daily", EPOCH + number))
        return replace(self.call.context, held=lambda: self.held)

    def lines(self, level: Level = Level.INFO) -> list[str]:
        return self.call.lines(level)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StorageCluster]:
    """A cluster with the Deployment ``shop``, which has two claims."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.01)
    made = StorageCluster(tmp_path)
    made.add_class()
    made.put("volumesnapshotclasses", "snapshots", driver=DRIVER)
    for name in ("data", "logs"):
        made.add_claim(name, f"{name} of then", labels={"app": "shop"})
    made.add_workload("deployments", "shop", "data", "logs")
    with made.running():
        yield made


@pytest.fixture
def app(cluster: StorageCluster) -> App:
    return App(cluster)


def state_of(cluster: StorageCluster) -> dict[str, Any]:
    """All that belongs to the application: what a failed restore must leave as it was."""
    return {
        "replicas": cluster.objects["deployments"]["shop"]["spec"]["replicas"],
        "claims": cluster.claims_of("deployments", "shop"),
        "data": {name: cluster.data_of(name) for name in ("data", "logs")},
        "all": cluster.names("persistentvolumeclaims"),
    }
