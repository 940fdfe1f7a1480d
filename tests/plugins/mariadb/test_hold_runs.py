"""Whole runs on the product's own worker: the server is locked while it is backed up, and not after."""

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually
from tests.factories import OPERATOR, make_catalog
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.holds import blocked
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer
from tests.plugins.postgres.waiting import until
from tests.plugins.whole_runs import ended, said
from workflows_app.domain.states import FreezeState, RunState
from workflows_app.services.runs import starts

pytestmark = pytest.mark.django_db(transaction=True)

LOCKS = "SELECT id FROM information_schema.PROCESSLIST WHERE user = 'keeper' AND command = 'Sleep'"


async def start_backup(server: MariadbTestServer, place: Path) -> int:
    """Start a backup, and wait until it has locked the server and makes what stands for a snapshot."""
    script = place / "snapshot"
    script.write_text(f"touch {place}/begun; while [ ! -e {place}/go-on ]; do sleep 0.05; done")
    config = await sync_to_async(make_catalog)(
        appPlugin="mariadb",
        appPluginParameters=server_parameters(server) | {"MysqlMethod": "hold"},
        storagePlugin="sample-storage",
        backupCreateCmd=f"sh,{script}",
        autoDiscovery=True,
    )
    number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
    await eventually((place / "begun").exists)
    return number


async def test_a_server_is_locked_while_it_is_backed_up(
    worker: object, transactional_db: None, server: MariadbTestServer, shop: str, place: Path
) -> None:
    number = await start_backup(server, place)
    try:
        (waiting,) = await sync_to_async(blocked)(server, shop, "INSERT INTO audit VALUES (1)")
    finally:
        (place / "go-on").touch()
    run = await ended(number)
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    assert waiting.join() == []
    lines = await said(number)
    assert f"Unlocked 127.0.0.1:{server.port}" in lines
    assert not [line for line in lines if PASSWORD in line]


async def test_a_lock_that_was_lost_meanwhile_fails_the_run_and_leaves_nothing_frozen(
    worker: object, transactional_db: None, server: MariadbTestServer, shop: str, place: Path
) -> None:
    number = await start_backup(server, place)
    try:
        for (session,) in server.sql(LOCKS):
            server.sql(f"KILL {session}")
        until(lambda: server.sql(LOCKS) == [])
    finally:
        (place / "go-on").touch()
    run = await ended(number)
    assert run.summary.state is RunState.ERROR
    assert "do not rely on this backup" in run.summary.failure
    assert run.progress.freeze is FreezeState.THAWED
    assert (await said(number))[-1] == f"This run holds no lock on 127.0.0.1:{server.port}"
