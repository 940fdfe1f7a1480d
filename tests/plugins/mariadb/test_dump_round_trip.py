"""A dump and its restore against a real server: what comes back is what was there when quiesce began."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mariadb.server import MariadbTestServer, program
from tests.plugins.mariadb.transfers import is_one_moment, made, transferring
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Level
from workflows_app.plugins.mariadb_dump.plugin import plugin

PLAIN = {"MysqlDumpFormat": "plain"}


def staged(calls: Calls, number: int = 7) -> Path:
    return Path(calls.parameters["MysqlDumpPath"]) / "test" / "shop" / str(number)


def as_in(contents: dict[str, list[list[str]]], name: str, other: str) -> dict[str, list[list[str]]]:
    """Contents as they would read in another database: a foreign key and a view name their own."""
    return {
        key: [[value.replace(f"`{name}`", f"`{other}`") for value in row] for row in rows]
        for key, rows in contents.items()
    }


@pytest.mark.parametrize("form", [{}, PLAIN], ids=["zstd", "plain"])
@pytest.mark.parametrize("over", ["tcp", "socket"])
def test_a_dump_comes_back_in_another_database(
    server: MariadbTestServer, shop: str, empty: str, calls: Calls, form: dict[str, str], over: str
) -> None:
    if over == "socket":
        form = form | {"MysqlHost": str(server.socket), "MysqlProto": "unix"}
    before = server.contents(shop)
    assert len(before["ledger"]) == 501
    assert plugin.quiesce(calls.context(**form)).code == 0
    assert staged(calls).stat().st_mode & 0o777 == 0o700
    (file,) = staged(calls).iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == (
        "mariadb.sql" if "MysqlDumpFormat" in form else "mariadb.sql.zst",
        0o600,
    )
    assert plugin.post_restore(calls.restore(MysqlRestoreDb=empty, **form)).code == 0
    assert server.contents(empty) == as_in(before, shop, empty)
    assert server.contents(shop) == before
    history = "SELECT price FROM prices FOR SYSTEM_TIME ALL ORDER BY 1"
    assert server.sql(history, empty) == server.sql(history, shop) == [["10"], ["11"]]
    assert server.sql("SELECT NEXTVAL(tickets)", empty) == server.sql("SELECT NEXTVAL(tickets)", shop)
    assert not staged(calls).exists(), "the dump is removed once it is loaded"


def test_dates_that_no_calendar_has_come_back(
    server: MariadbTestServer, shop: str, empty: str, calls: Calls
) -> None:
    server.sql(
        "SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE days (day date);"
        "INSERT INTO days VALUES ('2026-02-31'), ('0000-00-00'), ('2026-00-10')",
        shop,
    )
    plugin.quiesce(calls.context())
    plugin.post_restore(calls.restore(MysqlRestoreDb=empty))
    assert server.sql("SELECT day FROM days ORDER BY 1", empty) == [
        ["0000-00-00"], ["2026-00-10"], ["2026-02-31"],
    ]  # fmt: skip


def test_quiesce_says_each_table_and_how_many_there_are(calls: Calls, shop: str) -> None:
    plugin.quiesce(calls.context())
    assert calls.lines()[0].startswith(f"Dumping database '{shop}' of MariaDB ")
    assert calls.lines()[0].partition(": ")[2].startswith("5 tables, ")
    tables = [line for line in calls.lines() if line.startswith("Dumping table ")]
    assert sorted(line.rpartition(" (")[0] for line in tables) == [
        "Dumping table accounts", "Dumping table audit", 'Dumping table it\'s, a `"table"',
        "Dumping table ledger", "Dumping table prices",
    ]  # fmt: skip
    assert [line.rpartition(" (")[2] for line in tables] == [f"{n} of 5)" for n in range(1, 6)]
    assert max(report.done_bytes for report in calls.reports) > 10_000
    assert calls.lines()[-1].endswith(", verified")
    assert calls.lines(Level.WARN, Level.ERROR) == []


def test_the_discovered_folder_is_the_one_that_quiesce_fills(calls: Calls, shop: str) -> None:
    (found,) = plugin.discover(calls.context()).discover_list
    assert (found.instance, found.data, found.logs) == (shop, (str(staged(calls)),), ())
    assert not staged(calls).exists()
    plugin.quiesce(calls.context())
    assert [entry.name for entry in staged(calls).iterdir()] == ["mariadb.sql.zst"]


def test_a_dump_is_one_moment_although_the_database_goes_on(
    server: MariadbTestServer, shop: str, empty: str, calls: Calls
) -> None:
    """Transfers go on all the time, and no half of one is in the dump."""
    seen: list[int] = []
    calls.on_line = lambda text: seen.append(made(server, shop))
    with transferring(server, shop):
        plugin.quiesce(calls.context())
    assert seen[-1] > seen[0] > 0, "the database was written to while the dump was made"
    calls.on_line = lambda text: None
    plugin.post_restore(calls.restore(MysqlRestoreDb=empty))
    assert is_one_moment(server, empty)
    assert made(server, empty) < made(server, shop)


def test_what_is_written_while_it_is_frozen_is_not_in_the_backup(
    server: MariadbTestServer, shop: str, empty: str, calls: Calls
) -> None:
    before = server.contents(shop)
    plugin.quiesce(calls.context())
    server.sql("INSERT INTO ledger (source, target, amount) VALUES (1, 2, 99); DROP VIEW totals", shop)
    plugin.post_restore(calls.restore(MysqlRestoreDb=empty))
    assert server.contents(empty) == as_in(before, shop, empty)


def test_after_quiesce_no_session_and_no_lock_is_left(
    server: MariadbTestServer, shop: str, calls: Calls
) -> None:
    plugin.quiesce(calls.context())
    sessions = server.sql("SELECT count(*) FROM information_schema.PROCESSLIST WHERE user = 'keeper'")
    assert sessions == [["1"]], "the one that asks"


def test_a_restore_over_the_same_database_replaces_what_the_dump_has(
    server: MariadbTestServer, shop: str, calls: Calls
) -> None:
    before = server.contents(shop)
    plugin.quiesce(calls.context())
    server.sql("DELETE FROM ledger; DROP PROCEDURE twice; UPDATE accounts SET balance = 0", shop)
    server.sql("CREATE TABLE newer (n int)", shop)
    plugin.post_restore(calls.restore(MysqlRestoreClean="true"))
    after = server.contents(shop)
    assert after.pop("newer") == [["BASE TABLE"]]
    assert after.pop("newer made")
    assert after == before


def test_a_database_that_is_not_empty_is_left_alone_unless_told(
    server: MariadbTestServer, shop: str, calls: Calls
) -> None:
    plugin.quiesce(calls.context())
    server.sql("DELETE FROM ledger", shop)
    before = server.contents(shop)
    for hook in (plugin.pre_restore, plugin.post_restore):
        with pytest.raises(ConfigInvalid, match="is not empty \\(5 tables\\)") as refused:
            hook(calls.restore())
        assert refused.value.field == "MysqlRestoreClean"
    assert server.contents(shop) == before
    assert staged(calls).exists(), "the dump stays for another try"


@pytest.mark.parametrize(
    "left", ["CREATE VIEW v AS SELECT 1", "CREATE PROCEDURE p() SELECT 1", "CREATE SEQUENCE s"]
)
def test_a_database_is_not_empty_with_anything_in_it(
    server: MariadbTestServer, empty: str, calls: Calls, left: str
) -> None:
    server.sql(left, empty)
    with pytest.raises(ConfigInvalid, match="is not empty"):
        plugin.pre_restore(calls.restore(MysqlRestoreDb=empty))


def test_all_databases_come_back_under_their_names(
    server: MariadbTestServer, shop: str, empty: str, calls: Calls
) -> None:
    server.sql("CREATE TABLE `some``thing` (n int); INSERT INTO `some``thing` VALUES (5)", empty)
    before = server.contents(shop), server.contents(empty)
    users = server.sql("SELECT count(*) FROM mysql.global_priv")
    plugin.quiesce(calls.context(MysqlDb=""))
    with pytest.raises(ConfigInvalid) as refused:
        plugin.post_restore(calls.restore(MysqlDb=""))
    assert refused.value.field == "MysqlRestoreClean"
    with pytest.raises(ConfigInvalid, match="the dump is of several databases") as refused:
        plugin.post_restore(calls.restore(MysqlDb="", MysqlRestoreDb=empty))
    assert refused.value.field == "MysqlRestoreDb"
    for name in (shop, empty):
        server.sql(f"DROP DATABASE `{name}`; CREATE DATABASE `{name}`")
    server.sql(f"DROP DATABASE `{empty}`")
    assert plugin.pre_restore(calls.restore(MysqlDb="")).code == 0
    assert plugin.post_restore(calls.restore(MysqlDb="")).code == 0
    assert (server.contents(shop), server.contents(empty)) == before
    assert server.sql("SELECT count(*) FROM mysql.global_priv") == users


def test_a_dump_of_one_database_is_not_loaded_into_all(calls: Calls) -> None:
    plugin.quiesce(calls.context())
    with pytest.raises(ConfigInvalid, match="the dump is of one database") as refused:
        plugin.post_restore(calls.restore(MysqlDb=""))
    assert refused.value.field == "MysqlRestoreDb"


def test_the_dump_is_found_below_another_target_and_stays_there(
    server: MariadbTestServer, shop: str, empty: str, calls: Calls, place: Path
) -> None:
    before = server.contents(shop)
    plugin.quiesce(calls.context())
    target = place / "elsewhere"
    moved = Path(f"{target}{staged(calls)}")
    moved.parent.mkdir(parents=True)
    staged(calls).rename(moved)
    context = calls.restore(source=staged(calls), target=str(target), MysqlRestoreDb=empty)
    assert plugin.post_restore(context).code == 0
    assert server.contents(empty) == as_in(before, shop, empty)
    assert calls.lines()[-1] == f"The dump stays at {moved / 'mariadb.sql.zst'}"
    assert (moved / "mariadb.sql.zst").exists()


def test_unquiesce_removes_the_dump_and_nothing_else(calls: Calls) -> None:
    plugin.quiesce(calls.context(7))
    plugin.quiesce(calls.context(8))
    plugin.unquiesce(calls.context(7))
    assert calls.lines() == [f"Removed the dump {staged(calls)}"]
    assert not staged(calls).exists()
    assert staged(calls, 8).exists()
    plugin.unquiesce(calls.context(7))
    assert calls.lines() == [f"There is no dump {staged(calls)} to remove"]


def test_a_dump_that_nobody_is_told_of_is_warned_about(calls: Calls) -> None:
    context = calls.context()
    quiet = replace(context, config=context.config.model_copy(update={"auto_discovery": False}))
    assert plugin.quiesce(quiet).code == 0
    (warning,) = calls.lines(Level.WARN)
    assert warning.startswith(f"AutoDiscovery is off, so the storage plugin is not told of {staged(calls)}: ")


def test_a_large_row_comes_back(server: MariadbTestServer, empty: str, calls: Calls) -> None:
    """It is larger than what MariaDB's programs take by themselves."""
    server.sql("SET GLOBAL max_allowed_packet = 1073741824")
    try:
        server.sql(
            "CREATE TABLE large (raw longblob); INSERT INTO large VALUES (REPEAT('x', 60000000))",
            calls.parameters["MysqlDb"],
        )
        plugin.quiesce(calls.context())
        plugin.post_restore(calls.restore(MysqlRestoreDb=empty))
        assert server.sql("SELECT LENGTH(raw), MD5(raw) = MD5(REPEAT('x', 60000000)) FROM large", empty) == [
            ["60000000", "1"]
        ]
    finally:
        server.sql("SET GLOBAL max_allowed_packet = DEFAULT")


def test_zstd_itself_reads_a_dump(calls: Calls) -> None:
    plugin.quiesce(calls.context())
    done = subprocess.run(
        [program("zstd"), "-dc", str(staged(calls) / "mariadb.sql.zst")], capture_output=True, check=True
    )
    assert done.stdout.rpartition(b"\n-- Dump completed on ")[2].endswith(b"\n")
