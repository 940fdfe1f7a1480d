"""Whole runs on the product's own worker: both plugins with the storage plugin filesystem."""

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually
from tests.factories import OPERATOR, make_catalog
from tests.plugins.databases.calls import Calls
from tests.plugins.postgres.cluster import PASSWORD, Cluster
from tests.plugins.postgres.conftest import server_parameters
from tests.plugins.postgres.copies import started
from tests.plugins.postgres.waiting import locked, waiting_sessions
from tests.plugins.whole_runs import back_up, ended, files_below, restore, said
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig
from workflows_app.services.runs import control, starts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def config(transactional_db: None, calls: Calls, place: Path, empty: str) -> BackupConfig:
    """A configuration that dumps the test's database, and restores into another."""
    return await sync_to_async(make_catalog)(
        appPlugin="postgres-dump",
        appPluginParameters=calls.parameters | {"PqRestoreDb": empty},
        storagePlugin="filesystem",
        storagePluginParameters={"BackupName": "shop", "BackupDestPath": str(place / "backups")},
        autoDiscovery=True,
    )


@pytest.mark.parametrize("elsewhere", [False, True], ids=["original place", "another target"])
async def test_a_backup_and_its_restore(
    worker: object,
    config: BackupConfig,
    cluster: Cluster,
    shop: str,
    empty: str,
    calls: Calls,
    place: Path,
    elsewhere: bool,
) -> None:
    before = cluster.contents(shop)
    name = await back_up(config)
    dumps = Path(calls.parameters["PqDumpPath"])
    assert files_below(dumps) == [], "unquiesce has removed the dump"
    cluster.execute("DELETE FROM ledger", shop)

    run = await restore(config, name, str(place / "elsewhere") if elsewhere else "")
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    assert [step.key for step in run.progress.steps] == [
        "pre-restore-plugin",
        "restore-plugin",
        "post-restore-plugin",
    ]
    assert cluster.contents(empty) == before
    assert files_below(dumps) == []
    lines = await said(run.summary.number)
    assert f"Database '{empty}' restored: 24 entries, 3 tables with rows" in lines
    assert not [line for line in lines if PASSWORD in line]


async def test_a_restore_over_data_without_leave_stops_before_anything_is_touched(
    worker: object, config: BackupConfig, cluster: Cluster, empty: str, calls: Calls
) -> None:
    name = await back_up(config)
    cluster.execute("CREATE TABLE precious AS SELECT 1 AS n", empty)
    run = await restore(config, name)
    assert run.summary.state is RunState.ERROR
    assert "PqRestoreClean: database" in run.summary.failure
    assert [step["key"] for step in run.result["workflow"]["steps"]] == ["pre-restore-plugin"]
    assert cluster.rows("SELECT n FROM precious", empty) == [(1,)]
    assert files_below(Path(calls.parameters["PqDumpPath"])) == []


async def test_a_cancelled_backup_leaves_no_dump_no_backup_and_no_session(
    worker: object, config: BackupConfig, cluster: Cluster, shop: str, calls: Calls, place: Path
) -> None:
    with locked(cluster, shop):
        number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
        await eventually(lambda: waiting_sessions(cluster, shop))
        await control.cancel_run(OPERATOR, number)
        run = await ended(number)
        await eventually(lambda: not waiting_sessions(cluster, shop))
    assert run.summary.state is RunState.CANCELLED
    assert (
        f"There is no dump {place}/dumps/{config.profile.name}/{config.name}/{number} to remove"
        in await said(number)
    )
    assert files_below(Path(calls.parameters["PqDumpPath"])) == []
    assert files_below(place / "backups") == []


async def test_a_cluster_is_backed_up_restored_and_started(
    worker: object, transactional_db: None, cluster: Cluster, shop: str, place: Path
) -> None:
    config = await sync_to_async(make_catalog)(
        appPlugin="postgres",
        appPluginParameters=server_parameters(cluster)
        | {"PqBackupPath": str(place / "copies"), "PqBinPath": str(cluster.bin)},
        storagePlugin="filesystem",
        storagePluginParameters={"BackupName": "cluster", "BackupDestPath": str(place / "backups")},
        autoDiscovery=True,
    )
    before = cluster.contents(shop)
    name = await back_up(config)
    assert files_below(place / "copies") == [], "unquiesce has removed the copy"
    run = await restore(config, name, str(place / "elsewhere"))
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    (data,) = (
        path.parent for path in (place / "elsewhere").rglob("PG_VERSION") if path.parent.name == "data"
    )
    assert any(
        line.startswith(f"The cluster in {data} is complete. To run it: ")
        for line in await said(run.summary.number)
    )
    with started(data, place / "server") as other:
        assert other.contents(shop) == before
