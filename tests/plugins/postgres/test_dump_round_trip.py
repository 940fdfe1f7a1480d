"""A dump and its restore against a real server: what comes back is what was there when quiesce ended."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.postgres.cluster import Cluster
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Level
from workflows_app.plugins.postgres_dump.plugin import plugin

DIRECTORY = {"PqDumpFormat": "directory", "PqDumpJobs": "3"}


def staged(calls: Calls, number: int = 7) -> Path:
    return Path(calls.parameters["PqDumpPath"]) / "test" / "shop" / str(number)


@pytest.mark.parametrize("form", [{}, DIRECTORY], ids=["custom", "directory"])
@pytest.mark.parametrize("over", ["tcp", "socket"])
def test_a_dump_comes_back_in_another_database(
    cluster: Cluster, shop: str, empty: str, calls: Calls, form: dict[str, str], over: str
) -> None:
    if over == "socket":
        form = form | {"PqHost": str(cluster.socket_folder)}
    before = cluster.contents(shop)
    assert plugin.quiesce(calls.context(**form)).code == 0
    assert staged(calls).stat().st_mode & 0o777 == 0o700
    result = plugin.post_restore(calls.restore(PqRestoreDb=empty, **form))
    assert result.code == 0
    assert cluster.contents(empty) == before
    assert cluster.contents(shop) == before
    assert not staged(calls).exists(), "the dump is removed once it is loaded"


def test_quiesce_says_each_table_and_how_many_there_are(calls: Calls, shop: str) -> None:
    plugin.quiesce(calls.context())
    assert calls.lines()[0].startswith(f"Dumping database '{shop}' of PostgreSQL ")
    assert calls.lines()[0].partition(": ")[2].startswith("3 tables, ")
    tables = [line for line in calls.lines() if line.startswith("Dumping table ")]
    assert sorted(line.split(" (")[0] for line in tables) == [
        'Dumping table Büro.it\'s, a "table"', "Dumping table public.accounts", "Dumping table public.ledger",
    ]  # fmt: skip
    assert [line.split(" (")[1] for line in tables] == ["1 of 3)", "2 of 3)", "3 of 3)"]
    assert calls.reports[-1].note.startswith("dumping table 3 of 3: ")
    assert calls.lines()[-1].endswith(", verified")
    assert calls.lines(Level.WARN, Level.ERROR) == []


def test_the_discovered_folder_is_the_one_that_quiesce_fills(calls: Calls, shop: str) -> None:
    (found,) = plugin.discover(calls.context()).discover_list
    assert (found.instance, found.data, found.logs) == (shop, (str(staged(calls)),), ())
    assert not staged(calls).exists()
    plugin.quiesce(calls.context())
    assert [entry.name for entry in staged(calls).iterdir()] == ["postgres.dump"]


def test_a_dump_is_one_moment_although_the_database_goes_on(
    cluster: Cluster, shop: str, empty: str, calls: Calls
) -> None:
    """Transfers go on all the time, none of them waits, and no half of one is in the dump."""
    cluster.execute("UPDATE accounts SET balance = 1000000", shop)
    stop = threading.Event()
    transfers = 0

    def transfer() -> None:
        nonlocal transfers
        with cluster.connect(shop) as connection:
            while not stop.is_set():
                with connection.transaction():
                    connection.execute(
                        "UPDATE accounts SET balance = balance - 1 WHERE id = 1 + %s %% 10", (transfers,)
                    )
                    connection.execute(
                        "UPDATE accounts SET balance = balance + 1 WHERE id = 11 + %s %% 10", (transfers,)
                    )
                    connection.execute(
                        "INSERT INTO ledger (source, target, amount) VALUES (1 + %s %% 10, 11 + %s %% 10, 1)",
                        (transfers, transfers),
                    )
                transfers += 1

    writer = threading.Thread(target=transfer)
    seen: list[int] = []
    calls.on_line = lambda text: seen.append(transfers)
    writer.start()
    try:
        while transfers < 5:
            stop.wait(0.01)
        plugin.quiesce(calls.context())
    finally:
        stop.set()
        writer.join()
    assert seen[-1] > seen[0] > 0, "the database was written to while the dump was made"
    plugin.post_restore(calls.restore(PqRestoreDb=empty))
    (row,) = cluster.rows("SELECT total FROM totals", empty)
    assert row == (20_000_000,)
    moved = dict(cluster.rows("SELECT target, sum(amount) FROM ledger WHERE amount > 0 GROUP BY 1", empty))
    balances = dict(
        cluster.rows("SELECT id, balance - 1000000 FROM accounts WHERE id > 10 AND balance > 1000000", empty)
    )
    assert balances == moved, "each balance has exactly the transfers that are in the ledger"
    assert 0 < sum(moved.values()) < transfers


def test_what_is_written_while_it_is_frozen_is_not_in_the_backup(
    cluster: Cluster, shop: str, empty: str, calls: Calls
) -> None:
    before = cluster.contents(shop)
    plugin.quiesce(calls.context())
    cluster.execute("INSERT INTO ledger (source, target, amount) VALUES (1, 2, 99); DROP VIEW totals", shop)
    plugin.post_restore(calls.restore(PqRestoreDb=empty))
    assert cluster.contents(empty) == before


def test_after_quiesce_no_session_and_no_lock_is_left(cluster: Cluster, shop: str, calls: Calls) -> None:
    plugin.quiesce(calls.context())
    sessions = cluster.rows(f"SELECT application_name FROM pg_stat_activity WHERE datname = '{shop}'")  # noqa: S608
    assert sessions == []


def test_a_restore_over_the_same_database_replaces_what_the_dump_has(
    cluster: Cluster, shop: str, calls: Calls
) -> None:
    before = cluster.contents(shop)
    plugin.quiesce(calls.context())
    cluster.execute("DELETE FROM ledger; UPDATE accounts SET balance = 0; CREATE TABLE newer (n int)", shop)
    plugin.post_restore(calls.restore(PqRestoreClean="true"))
    assert cluster.contents(shop).pop("public.newer") == []
    cluster.execute("DROP TABLE newer", shop)
    assert cluster.contents(shop) == before


def test_a_database_that_is_not_empty_is_left_alone_unless_told(
    cluster: Cluster, shop: str, calls: Calls
) -> None:
    plugin.quiesce(calls.context())
    cluster.execute("DELETE FROM ledger", shop)
    before = cluster.contents(shop)
    for hook in (plugin.pre_restore, plugin.post_restore):
        with pytest.raises(ConfigInvalid, match="is not empty \\(3 tables\\)") as refused:
            hook(calls.restore())
        assert refused.value.field == "PqRestoreClean"
    assert cluster.contents(shop) == before
    assert staged(calls).exists(), "the dump stays for another try"


def test_a_parallel_restore_says_what_it_is(cluster: Cluster, shop: str, empty: str, calls: Calls) -> None:
    before = cluster.contents(shop)
    plugin.quiesce(calls.context(**DIRECTORY))
    plugin.post_restore(calls.restore(PqRestoreDb=empty, PqRestoreJobs="2", **DIRECTORY))
    assert cluster.contents(empty) == before


def test_owners_may_be_left_out(cluster: Cluster, shop: str, empty: str, role: str, calls: Calls) -> None:
    cluster.execute(f"ALTER TABLE ledger OWNER TO {role}; GRANT SELECT ON accounts TO {role}", shop)
    plugin.quiesce(calls.context())
    plugin.post_restore(calls.restore(PqRestoreDb=empty, PqRestoreOwners="false"))
    owners = cluster.rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'", empty)
    assert owners == [("postgres",)]
    cluster.execute(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}", shop)


def test_the_dump_is_found_below_another_target_and_stays_there(
    cluster: Cluster, shop: str, empty: str, calls: Calls, place: Path
) -> None:
    before = cluster.contents(shop)
    plugin.quiesce(calls.context())
    target = place / "elsewhere"
    moved = Path(f"{target}{staged(calls)}")
    moved.parent.mkdir(parents=True)
    staged(calls).rename(moved)
    result = plugin.post_restore(calls.restore(source=staged(calls), target=str(target), PqRestoreDb=empty))
    assert result.code == 0
    assert cluster.contents(empty) == before
    assert calls.lines()[-1] == f"The dump stays at {moved / 'postgres.dump'}"
    assert (moved / "postgres.dump").exists()


def test_unquiesce_removes_the_dump_and_nothing_else(calls: Calls) -> None:
    plugin.quiesce(calls.context(7))
    plugin.quiesce(calls.context(8))
    plugin.unquiesce(calls.context(7))
    assert calls.lines() == [f"Removed the dump {staged(calls)}"]
    assert not staged(calls).exists()
    assert staged(calls, 8).exists()
    plugin.unquiesce(calls.context(7))
    assert calls.lines() == [f"There is no dump {staged(calls)} to remove"]


def test_unquiesce_leaves_what_it_did_not_make(calls: Calls) -> None:
    plugin.quiesce(calls.context())
    (staged(calls) / "notes.txt").write_text("mine")
    assert plugin.unquiesce(calls.context()).code == 0
    (warning,) = calls.lines(Level.WARN)
    assert warning.startswith(f"The dump stays: Cannot write or remove {staged(calls)}: Directory not empty")
    assert (staged(calls) / "notes.txt").read_text() == "mine"


def test_a_dump_that_nobody_is_told_of_is_warned_about(calls: Calls) -> None:
    context = calls.context()
    quiet = replace(context, config=context.config.model_copy(update={"auto_discovery": False}))
    assert plugin.quiesce(quiet).code == 0
    (warning,) = calls.lines(Level.WARN)
    assert warning.startswith(f"AutoDiscovery is off, so the storage plugin is not told of {staged(calls)}: ")
