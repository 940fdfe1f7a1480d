"""The tests of MariaDB's plugins: what a run will need is found out, and nothing is left of the look."""

from pathlib import Path

import pytest

from tests.plugins.findings import all_good, bad, words
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer
from tests.plugins.postgres.conftest import Calls
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
