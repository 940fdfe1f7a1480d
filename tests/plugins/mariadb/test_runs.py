"""Whole runs on the product's own worker: both plugins with the storage plugin filesystem."""

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually
from tests.factories import OPERATOR, make_catalog
from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pods import pod_parameters, running_pod
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer, started
from tests.plugins.mariadb.test_dump_round_trip import as_in
from tests.plugins.mariadb.test_server_copy import without_counters
from tests.plugins.mariadb.waiting import locked, waiting_sessions
from tests.plugins.whole_runs import back_up, ended, files_below, restore, said
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, RunMessage
from workflows_app.services.runs import control, starts

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def config(transactional_db: None, calls: Calls, place: Path, empty: str) -> BackupConfig:
    """A configuration that dumps the test's database, and restores into another."""
    return await sync_to_async(make_catalog)(
        appPlugin="mariadb-dump",
        appPluginParameters=calls.parameters | {"MysqlRestoreDb": empty},
        storagePlugin="filesystem",
        storagePluginParameters={"BackupName": "shop", "BackupDestPath": str(place / "backups")},
        autoDiscovery=True,
    )


@pytest.mark.parametrize("elsewhere", [False, True], ids=["original place", "another target"])
async def test_a_backup_and_its_restore(
    worker: object,
    config: BackupConfig,
    server: MariadbTestServer,
    shop: str,
    empty: str,
    calls: Calls,
    place: Path,
    elsewhere: bool,
) -> None:
    before = server.contents(shop)
    name = await back_up(config)
    dumps = Path(calls.parameters["MysqlDumpPath"])
    assert files_below(dumps) == [], "unquiesce has removed the dump"
    server.sql("DELETE FROM ledger", shop)

    run = await restore(config, name, str(place / "elsewhere") if elsewhere else "")
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    assert [step.key for step in run.progress.steps] == [
        "pre-restore-plugin",
        "restore-plugin",
        "post-restore-plugin",
    ]
    assert server.contents(empty) == as_in(before, shop, empty)
    assert files_below(dumps) == []
    lines = [line async for line in RunMessage.objects.values_list("text", flat=True)]
    assert [line for line in lines if line.startswith(f"Restored '{empty}': 5 tables, ")]
    assert not [line for line in lines if PASSWORD in line]


async def test_a_restore_over_data_without_leave_stops_before_anything_is_touched(
    worker: object, config: BackupConfig, server: MariadbTestServer, empty: str, calls: Calls
) -> None:
    name = await back_up(config)
    server.sql("CREATE TABLE precious AS SELECT 1 AS n", empty)
    run = await restore(config, name)
    assert run.summary.state is RunState.ERROR
    assert "MysqlRestoreClean: 'empty-" in run.summary.failure
    assert [step["key"] for step in run.result["workflow"]["steps"]] == ["pre-restore-plugin"]
    assert server.sql("SELECT n FROM precious", empty) == [["1"]]
    assert files_below(Path(calls.parameters["MysqlDumpPath"])) == []


async def test_a_cancelled_backup_leaves_no_dump_no_backup_and_no_session(
    worker: object, config: BackupConfig, server: MariadbTestServer, shop: str, calls: Calls, place: Path
) -> None:
    with locked(server, shop):
        number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
        await eventually(lambda: waiting_sessions(server, shop))
        await control.cancel_run(OPERATOR, number)
        run = await ended(number)
        await eventually(lambda: not waiting_sessions(server, shop))
    assert run.summary.state is RunState.CANCELLED
    assert (
        f"There is no dump {place}/dumps/{config.profile.name}/{config.name}/{number} to remove"
        in await said(number)
    )
    assert files_below(Path(calls.parameters["MysqlDumpPath"])) == []
    assert files_below(place / "backups") == []


@pytest.mark.parametrize("where", ["worker", "pod"])
async def test_a_server_is_backed_up_restored_and_started(
    worker: object,
    transactional_db: None,
    server: MariadbTestServer,
    shop: str,
    place: Path,
    tmp_path: Path,
    where: str,
) -> None:
    with running_pod(tmp_path / "cluster") as pod:
        await back_up_and_start(server, shop, place, pod_parameters(pod) if where == "pod" else {})


async def back_up_and_start(server: MariadbTestServer, shop: str, place: Path, more: dict[str, str]) -> None:
    config = await sync_to_async(make_catalog)(
        appPlugin="mariadb",
        appPluginParameters=server_parameters(server) | more | {"MysqlBackupPath": str(place / "copies")},
        storagePlugin="filesystem",
        storagePluginParameters={"BackupName": "server", "BackupDestPath": str(place / "backups")},
        autoDiscovery=True,
    )
    before = server.contents(shop)
    name = await back_up(config)
    assert files_below(place / "copies") == [], "unquiesce has removed the copy"
    run = await restore(config, name, str(place / "elsewhere"))
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    (data,) = (path.parent for path in (place / "elsewhere").rglob("backup-my.cnf"))
    assert any(
        line.startswith(f"The copy in {data} is complete. To run it: ")
        for line in await said(run.summary.number)
    )
    with started(data, place / "server") as other:
        assert without_counters(other.contents(shop)) == without_counters(before)
