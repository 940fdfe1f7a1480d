"""The tests of MariaDB's plugins: what a run will need is found out, and nothing is left of the look."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.findings import all_good, bad, words
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer
from tests.plugins.mariadb.waiting import waiting_sessions
from tests.plugins.postgres.waiting import Attempt, until
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.findings import FindingState
from workflows_app.plugins.mariadb.plugin import plugin as server_plugin
from workflows_app.plugins.mariadb_dump.plugin import plugin as dump_plugin


@pytest.fixture
def folder(place: Path) -> Path:
    path = place / "dumps"
    path.mkdir()
    return path


@pytest.fixture
def copies(server: MariadbTestServer, place: Path) -> Calls:
    """Calls of the plugin mariadb."""
    path = place / "copies"
    path.mkdir()
    return Calls({**server_parameters(server), "MysqlBackupPath": str(path)})


def test_all_that_a_dump_needs_is_good(calls: Calls, folder: Path, shop: str):
    found = dump_plugin.check(calls.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert f"may dump database '{shop}'" in told
    assert f"{folder} can be written" in told
    assert PASSWORD not in told
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "parameter", "why"),
    [
        ({"MysqlPassword": "wrong-password"}, "MysqlDb", "Access denied"),
        ({"MysqlDb": "no-such-database"}, "MysqlDb", "There is no database 'no-such-database'"),
        ({"MysqlPort": "1"}, "MysqlDb", "Cannot connect"),
        ({"MysqlPort": "many"}, "MysqlPort", "is not a whole number"),
        ({"MysqlRestoreCmd": "no-such-client"}, "MysqlRestoreCmd", "cannot be run"),
        ({"MysqlDumpCmd": "ls"}, "MysqlDumpCmd", "cannot be run|is not mariadb-dump"),
        ({"MysqlDumpPath": "/proc/dumps"}, "MysqlDumpPath", "cannot be written"),
    ],
)
def test_what_a_dump_lacks_is_told_at_its_parameter(calls, folder, change, parameter, why):
    found = dump_plugin.check(calls.context(**change))
    assert any(part in bad(found, parameter) for part in why.split("|")), found
    assert "wrong-password" not in bad(found)


def test_a_user_who_is_not_shown_everything_is_told(
    calls: Calls, folder: Path, server: MariadbTestServer, shop: str, user: str
):
    server.sql(f"GRANT SELECT ON `{shop}`.* TO {user}@'%'")
    found = dump_plugin.check(calls.context(MysqlUser=user))
    assert "it lacks EVENT, SHOW VIEW, TRIGGER, EXECUTE" in bad(found, "MysqlDb")


def test_a_table_without_transactions_is_bad_or_only_doubtful_as_is_asked(
    calls: Calls, folder: Path, server: MariadbTestServer, shop: str
):
    server.sql("CREATE TABLE old (n int) ENGINE=MyISAM", shop)
    assert f"{shop}.old (MyISAM)" in bad(dump_plugin.check(calls.context()), "MysqlAnyEngine")
    found = dump_plugin.check(calls.context(MysqlAnyEngine="true"))
    assert bad(found) == ""
    assert f"{shop}.old (MyISAM)" in words(found, FindingState.WARN)


def test_all_that_a_copy_of_the_server_needs_is_good(copies: Calls):
    found = server_plugin.check(copies.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert "has the rights that a copy needs" in told
    assert "can be read here" in told
    assert "mariadb-backup is there where the worker runs, of the server's version" in told
    assert list(Path(copies.parameters["MysqlBackupPath"]).iterdir()) == []


def test_rights_that_a_copy_needs_are_named(copies: Calls, server: MariadbTestServer, user: str):
    server.sql(f"GRANT RELOAD, PROCESS ON *.* TO {user}@'%'")
    found = server_plugin.check(copies.context(MysqlUser=user))
    assert f"The user '{user}' lacks BINLOG MONITOR, LOCK TABLES on *.*" in bad(found, "MysqlUser")
    server.sql(f"GRANT LOCK TABLES, BINLOG MONITOR ON *.* TO {user}@'%'")
    assert bad(server_plugin.check(copies.context(MysqlUser=user)), "MysqlUser") == ""


def test_a_program_that_is_missing_is_told(copies: Calls):
    found = server_plugin.check(copies.context(MysqlBackupCmd="/nowhere/mariadb-backup"))
    assert "cannot be run" in bad(found, "MysqlBackupCmd")


def test_what_a_lock_needs_is_told(server: MariadbTestServer, user: str):
    holds = Calls({**server_parameters(server), "MysqlMethod": "hold"})
    found = server_plugin.check(holds.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert f"Its data is in {server.data}" in told
    assert "may lock and unlock" in told
    assert "Nobody is seen to wait" in told
    found = server_plugin.check(holds.context(MysqlUser=user))
    assert f"The user '{user}' lacks RELOAD on *.*" in bad(found, "MysqlUser")


def test_a_lock_of_somebody_else_is_told(server: MariadbTestServer, shop: str):
    holds = Calls({**server_parameters(server), "MysqlMethod": "hold"})
    with server.session("FLUSH TABLES WITH READ LOCK"):
        waiting = Attempt(lambda: server.sql("INSERT INTO audit VALUES (1)", shop))
        until(lambda: waiting_sessions(server, shop))
        found = server_plugin.check(holds.context())
    waiting.join()
    assert "Somebody has locked it: 1 sessions wait for that now" in words(
        found, FindingState.WARN, "MysqlHost"
    )


@pytest.mark.parametrize("storage", ["filesystem", "restic", "tar", "container-basic"])
def test_a_lock_around_a_copy_file_by_file_is_refused(server: MariadbTestServer, storage: str):
    holds = Calls({**server_parameters(server), "MysqlMethod": "hold"})
    context = holds.context()
    context = replace(context, config=context.config.model_copy(update={"storage_plugin": storage}))
    assert f"{storage!r} copies file by file" in bad(server_plugin.check(context), "MysqlMethod")
    for step in (server_plugin.discover, server_plugin.quiesce):
        with pytest.raises(
            ConfigInvalid, match="use the storage plugin csi, or the method 'copy'"
        ) as refusal:
            step(context)
        assert refusal.value.field == "MysqlMethod"
    assert server_plugin.unquiesce(context).code == 0
