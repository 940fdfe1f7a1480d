"""Whole runs on the product's own worker, with the storage plugin filesystem."""

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.factories import make_catalog
from tests.plugins.databases.calls import Calls
from tests.plugins.mongo.server import MongoTestServer
from tests.plugins.mongo_dump.conftest import as_restored, left
from tests.plugins.whole_runs import back_up, restore
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, RunMessage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def config(transactional_db: None, calls: Calls, tmp_path: Path, empty: str) -> BackupConfig:
    """A configuration that dumps the test's database, and restores into another."""
    return await sync_to_async(make_catalog)(
        appPlugin="mongo-dump",
        appPluginParameters=calls.parameters | {"MongoRestoreDb": empty},
        storagePlugin="filesystem",
        storagePluginParameters={"BackupName": "shop", "BackupDestPath": str(tmp_path / "backups")},
        autoDiscovery=True,
    )


@pytest.mark.parametrize("elsewhere", [False, True], ids=["original place", "another target"])
async def test_a_backup_and_its_restore(
    worker: object,
    config: BackupConfig,
    server: MongoTestServer,
    shop: str,
    empty: str,
    calls: Calls,
    tmp_path: Path,
    elsewhere: bool,
) -> None:
    before = server.contents(shop)
    name = await back_up(config)
    assert left(calls) == [], "unquiesce has removed the dump"
    server.client[shop]["ledger"].delete_many({})

    run = await restore(config, name, str(tmp_path / "elsewhere") if elsewhere else "")
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    assert [step.key for step in run.progress.steps] == [
        "pre-restore-plugin",
        "restore-plugin",
        "post-restore-plugin",
    ]
    assert server.contents(empty) == as_restored(before)
    assert left(calls) == []
    lines = [line async for line in RunMessage.objects.values_list("text", flat=True)]
    assert [line for line in lines if line.startswith(f"Restored '{empty}': 8 collections, ")]


async def test_a_restore_over_data_without_leave_stops_before_anything_is_touched(
    worker: object, config: BackupConfig, server: MongoTestServer, empty: str, calls: Calls
) -> None:
    name = await back_up(config)
    server.client[empty]["precious"].insert_one({"_id": 1})
    run = await restore(config, name)
    assert run.summary.state is RunState.ERROR
    assert "MongoRestoreClean: database 'empty-" in run.summary.failure
    assert [step["key"] for step in run.result["workflow"]["steps"]] == ["pre-restore-plugin"]
    assert server.client[empty]["precious"].find_one() == {"_id": 1}
    assert left(calls) == []
