"""Bad days of a restore, with a real server: what is said, and what became of the database."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tests.plugins.databases.calls import Calls
from tests.plugins.mariadb.server import MariadbTestServer
from tests.plugins.mariadb.waiting import locked, waiting_sessions
from tests.plugins.postgres.waiting import Attempt, until
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.mariadb_dump.plugin import plugin


@pytest.fixture
def dump(calls: Calls) -> Path:
    """The dump of run 7, as the storage plugin would have put it back."""
    plugin.quiesce(calls.context())
    return Path(calls.parameters["MysqlDumpPath"]) / "test" / "shop" / "7" / "mariadb.sql.zst"


def rewrite(dump: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the SQL of a dump, so that the file itself is good."""
    sql = zstandard.ZstdDecompressor().decompressobj().decompress(dump.read_bytes())
    dump.write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(change(sql)))


def test_a_server_that_is_older_than_the_dump(
    server: MariadbTestServer, empty: str, calls: Calls, dump: Path
) -> None:
    rewrite(dump, lambda sql: re.sub(rb"(-- Server version\t)10\.11", rb"\g<1>99.1", sql))
    with pytest.raises(PluginFailed) as refused:
        plugin.post_restore(calls.restore(MysqlRestoreDb=empty))
    assert re.match(
        r"The dump is of MariaDB 99\.1\.\S+, the server 127\.0\.0\.1:\d+ is older \(.*\): nothing was",
        str(refused.value),
    )
    assert server.sql(f"SHOW TABLES FROM `{empty}`") == []
    assert dump.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "no dump", "more behind it", "cut in SQL"])
def test_a_damaged_dump_is_refused_before_the_database_is_touched(
    server: MariadbTestServer, shop: str, calls: Calls, dump: Path, damage: str
) -> None:
    before = server.contents(shop)
    content = bytearray(dump.read_bytes())
    if damage == "flipped":
        content[len(content) * 4 // 5] ^= 0xFF
    if damage == "cut in SQL":
        rewrite(dump, lambda sql: sql[: len(sql) * 9 // 10])
    else:
        dump.write_bytes(
            {
                "cut": content[: len(content) * 4 // 5],
                "emptied": b"",
                "no dump": b"hello" * 1000,
                "more behind it": content + b"hello",
            }.get(damage, content)
        )
    with pytest.raises(
        PluginFailed, match=r"The dump .*/7/mariadb\.sql\.zst (cannot be read|is not|does not)"
    ):
        plugin.post_restore(calls.restore(MysqlRestoreClean="true"))
    assert server.contents(shop) == before


def test_a_plain_dump_that_is_cut_is_refused(
    server: MariadbTestServer, empty: str, calls: Calls, dump: Path
) -> None:
    sql = zstandard.ZstdDecompressor().decompressobj().decompress(dump.read_bytes())
    dump.with_name("mariadb.sql").write_bytes(sql[:-20])
    dump.unlink()
    with pytest.raises(PluginFailed, match="is not complete: its last line is not '-- Dump completed'"):
        plugin.post_restore(calls.restore(MysqlRestoreDb=empty))
    assert server.sql(f"SHOW TABLES FROM `{empty}`") == []


def test_a_restore_that_fails_in_the_middle_says_what_that_leaves(
    server: MariadbTestServer, empty: str, calls: Calls, dump: Path
) -> None:
    rewrite(dump, lambda sql: sql.replace(b"INSERT INTO `ledger`", b"INSERT INTO `legder`"))
    with pytest.raises(PluginFailed) as failure:
        plugin.post_restore(calls.restore(MysqlRestoreDb=empty))
    assert re.search(
        r"a part of the dump may be in 'empty-\w+'\. Restore again, with MysqlRestoreClean 'true'\. mariadb "
        r"ended with \[exit status 1\]: ERROR \d+ \(\w+\) at line \d+ in file: '.*': "
        r"Table 'legder' was not locked",
        str(failure.value),
    )
    assert server.sql("SHOW TABLES LIKE 'accounts'", empty) == [["accounts"]]
    assert server.sql("SHOW TABLES LIKE 'prices'", empty) == [], "it stops at the first error"
    assert not [text for _, text in calls.said if "VALUES" in text], "no row of a table is in the log"
    assert dump.exists(), "it stays for another try"


def test_definers_that_may_not_be_taken_over(
    server: MariadbTestServer, empty: str, calls: Calls, user: str, dump: Path
) -> None:
    server.sql(f"GRANT ALL ON `{empty}`.* TO {user}@'%'")
    with pytest.raises(PluginFailed, match=r"ERROR 1227 .* you need \(at least one of\) the SUPER, SET USER"):
        plugin.post_restore(calls.restore(MysqlRestoreDb=empty, MysqlUser=user))


def test_a_table_that_stays_locked(server: MariadbTestServer, shop: str, calls: Calls, dump: Path) -> None:
    with locked(server, shop), pytest.raises(PluginFailed, match="Lock wait timeout exceeded"):
        plugin.post_restore(calls.restore(MysqlRestoreClean="true", MysqlLockWaitSeconds="1"))


def test_a_cancelled_restore_leaves_no_session(
    server: MariadbTestServer, shop: str, calls: Calls, dump: Path
) -> None:
    with locked(server, shop):
        attempt = Attempt(lambda: plugin.post_restore(calls.restore(MysqlRestoreClean="true")))
        until(lambda: waiting_sessions(server, shop))
        calls.cancel()
        assert isinstance(attempt.join(), Cancelled)
        until(lambda: not waiting_sessions(server, shop))
    (cancelled,) = calls.lines(Level.WARN)
    assert cancelled.startswith(f"The restore was cancelled: a part of the dump may be in '{shop}'")
    assert dump.exists()


def test_a_restore_without_a_dump_says_so(calls: Calls, empty: str) -> None:
    with pytest.raises(PluginFailed, match=r"There is no dump in .*/test/shop/7 after the restore"):
        plugin.post_restore(calls.restore(MysqlRestoreDb=empty))


def test_pre_restore_says_what_is_ready(calls: Calls, empty: str) -> None:
    assert plugin.pre_restore(calls.restore(MysqlRestoreDb=empty)).code == 0
    (line,) = calls.lines()
    assert re.fullmatch(rf"Database '{empty}' of MariaDB .* on 127\.0\.0\.1:\d+ is ready for a restore", line)
