"""Bad days of a restore, with a real server: what is said, and that the database is as it was."""

import re
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.postgres.cluster import Cluster
from tests.plugins.postgres.waiting import Attempt, locked, until, waiting_sessions
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.postgres_dump.plugin import plugin


@pytest.fixture
def dump(calls: Calls) -> Path:
    """The dump of run 7, as the storage plugin would have put it back."""
    plugin.quiesce(calls.context())
    return Path(calls.parameters["PqDumpPath"]) / "test" / "shop" / "7" / "postgres.dump"


def test_a_server_that_is_older_than_the_dump(cluster: Cluster, empty: str, calls: Calls, dump: Path) -> None:
    content = dump.read_bytes()
    (version,) = set(re.findall(rb"\d\d\.\d+(?: \([^)]*\))?", content[:400])) or {b""}
    # The archive's header has the version of its server as text, with its length before it.
    dump.write_bytes(content.replace(version, b"99" + version[2:], 1))
    with pytest.raises(PluginFailed) as refused:
        plugin.post_restore(calls.restore(PqRestoreDb=empty))
    assert re.match(
        r"The dump is of PostgreSQL 99\.\d+, the server 127\.0\.0\.1:\d+ is older \(.*\): nothing was",
        str(refused.value),
    )
    assert cluster.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", empty) == [(0,)]
    assert dump.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "no dump"])
def test_a_damaged_dump_is_refused_before_the_database_is_touched(
    cluster: Cluster, shop: str, calls: Calls, dump: Path, damage: str
) -> None:
    before = cluster.contents(shop)
    content = bytearray(dump.read_bytes())
    if damage == "flipped":
        content[len(content) * 4 // 5] ^= 0xFF
    dump.write_bytes(
        {"cut": content[: len(content) * 4 // 5], "emptied": b"", "no dump": b"hello" * 1000}.get(
            damage, content
        )
    )
    with pytest.raises(
        PluginFailed, match=r"The dump .*/7/postgres\.dump cannot be read: pg_restore ended with"
    ):
        plugin.post_restore(calls.restore(PqRestoreClean="true"))
    assert cluster.contents(shop) == before


def test_a_restore_that_fails_in_the_middle_changes_nothing(
    cluster: Cluster, shop: str, calls: Calls, dump: Path
) -> None:
    cluster.execute("CREATE VIEW mine AS SELECT id FROM ledger", shop)
    before = cluster.contents(shop)
    with pytest.raises(PluginFailed) as failure:
        plugin.post_restore(calls.restore(PqRestoreClean="true"))
    assert "could not be restored: it is as it was, since all was one transaction" in str(failure.value)
    assert "because other objects depend on it" in str(failure.value)
    assert cluster.contents(shop) == before
    assert dump.exists(), "it stays for another try"


def test_roles_that_are_missing_are_named_and_nothing_is_changed(
    cluster: Cluster, shop: str, empty: str, role: str, calls: Calls
) -> None:
    cluster.execute(f"ALTER TABLE ledger OWNER TO {role}", shop)
    plugin.quiesce(calls.context())
    cluster.execute(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}", shop)
    cluster.execute(f"ALTER ROLE {role} RENAME TO {role}_gone")
    try:
        with pytest.raises(PluginFailed, match=f'role "{role}" does not exist'):
            plugin.post_restore(calls.restore(PqRestoreDb=empty))
        assert all(line.strip() for line in calls.lines(Level.ERROR)), "no line is empty"
        assert cluster.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", empty) == [(0,)]
        assert plugin.post_restore(calls.restore(PqRestoreDb=empty, PqRestoreOwners="false")).code == 0
    finally:
        cluster.execute(f"ALTER ROLE {role}_gone RENAME TO {role}")


def test_a_cancelled_restore_leaves_the_database_as_it_was_and_no_session(
    cluster: Cluster, shop: str, calls: Calls, dump: Path
) -> None:
    before = cluster.contents(shop)
    with locked(cluster, shop):
        attempt = Attempt(lambda: plugin.post_restore(calls.restore(PqRestoreClean="true")))
        until(lambda: waiting_sessions(cluster, shop))
        calls.cancel()
        assert isinstance(attempt.join(), Cancelled)
        until(lambda: not waiting_sessions(cluster, shop))
    in_use, cancelled = calls.lines(Level.WARN)
    assert in_use.startswith(f"Database '{shop}' is in use by 1 other sessions: the restore waits")
    assert cancelled == (
        f"The restore of database '{shop}' was cancelled: it is as it was, since all was one transaction"
    )
    assert cluster.contents(shop) == before


def test_a_restore_without_a_dump_says_so(calls: Calls, empty: str) -> None:
    with pytest.raises(PluginFailed, match=r"There is no dump in .*/test/shop/7 after the restore"):
        plugin.post_restore(calls.restore(PqRestoreDb=empty))


def test_pre_restore_says_what_is_ready(calls: Calls, empty: str) -> None:
    assert plugin.pre_restore(calls.restore(PqRestoreDb=empty)).code == 0
    (line,) = calls.lines()
    assert re.fullmatch(
        rf"Database '{empty}' of PostgreSQL .* on 127\.0\.0\.1:\d+ is ready for a restore", line
    )
