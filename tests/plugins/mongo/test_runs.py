"""Whole runs on the product's own worker: the server is locked while it is copied, and then never again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.factories import make_catalog
from tests.plugins import whole_runs
from tests.plugins.mongo.scripted_mongod import ScriptedMongod
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, RunMessage
from workflows_app.services.runs import runs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[ScriptedMongod]:
    data = tmp_path / "db"
    data.mkdir()
    (data / "WiredTiger").write_text("WiredTiger\n")
    with ScriptedMongod(str(data)) as running:
        yield running


async def run_backup(mongod: ScriptedMongod, destination: Path) -> runs.RunDetail:
    """Back the server's folder up, and answer the closed run."""
    config: BackupConfig = await sync_to_async(make_catalog)(
        appPlugin="mongo",
        appPluginParameters={"MongoHost": "127.0.0.1", "MongoPort": str(mongod.port)},
        storagePlugin="filesystem",
        storagePluginParameters={"BackupName": "server", "BackupDestPath": str(destination)},
        autoDiscovery=True,
    )
    return await whole_runs.run_backup(config)


async def test_a_server_is_locked_copied_and_unlocked(
    worker: object, transactional_db: None, mongod: ScriptedMongod, tmp_path: Path
) -> None:
    run = await run_backup(mongod, tmp_path / "backups")
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    assert [name for name in mongod.asked if name.startswith("fsync")] == ["fsync", "fsyncUnlock"]
    assert mongod.lock_count == 0
    assert mongod.runs == []
    lines = [line async for line in RunMessage.objects.order_by("step", "seq").values_list("text", flat=True)]
    where = f"127.0.0.1:{mongod.port}"
    locked = lines.index(f"Locking MongoDB 7.0.5 on {where} against writes")
    copied = next(at for at, line in enumerate(lines) if str(tmp_path / "db") in line and at > locked)
    assert copied < lines.index(f"Unlocked {where}")


async def test_a_backup_that_fails_leaves_no_lock(
    worker: object, transactional_db: None, mongod: ScriptedMongod
) -> None:
    run = await run_backup(mongod, Path("/proc/backups"))
    assert run.summary.state is RunState.ERROR
    assert [name for name in mongod.asked if name.startswith("fsync")] == ["fsync", "fsyncUnlock"]
    assert mongod.lock_count == 0


async def test_a_server_that_was_unlocked_meanwhile_fails_the_run(
    worker: object, transactional_db: None, mongod: ScriptedMongod, tmp_path: Path
) -> None:
    def unlocked() -> dict[str, object]:
        mongod.lock_count = 0
        return {"ok": 1.0, "info": "now locked against writes", "lockCount": 1}

    mongod.scripts["fsync"] = unlocked
    run = await run_backup(mongod, tmp_path / "backups")
    assert run.summary.state is RunState.ERROR
    assert "do not rely on this backup" in run.summary.failure
