"""Bad days of a dump, with a real server: what is said, and that nothing is left that looks good."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer, program, running_server
from tests.plugins.mariadb.waiting import locked, waiting_sessions
from tests.plugins.postgres.cluster import free_port
from tests.plugins.postgres.waiting import Attempt, processes, until
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.mariadb_dump.plugin import plugin

ROOT = Path(__file__).resolve().parents[3]
LOST_WORKER = """
import json, sys
from tests.plugins.databases.calls import Calls
from workflows_app.plugins.mariadb_dump.plugin import plugin
plugin.quiesce(Calls(json.loads(sys.argv[1])).context())
"""


def left(calls: Calls) -> list[str]:
    """All files below MysqlDumpPath, hidden or not, pipes too."""
    root = Path(calls.parameters["MysqlDumpPath"])
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def running(calls: Calls) -> dict[int, str]:
    """The processes of mariadb-dump that a call has started."""
    return processes(f"--result-file={calls.parameters['MysqlDumpPath']}")


def test_a_wrong_password(calls: Calls) -> None:
    with pytest.raises(PluginFailed, match="Access denied for user 'keeper'") as failure:
        plugin.quiesce(calls.context(MysqlPassword="not the right one"))
    assert "not the right one" not in str(failure.value)
    assert "Check MysqlHost, MysqlPort, MysqlUser, MysqlPassword" in str(failure.value)
    assert left(calls) == []


def test_a_server_that_is_not_there(calls: Calls, place: Path) -> None:
    with pytest.raises(PluginFailed, match=r"Cannot connect to .*Can't connect to server on '127\.0\.0\.1'"):
        plugin.quiesce(calls.context(MysqlPort=str(free_port())))
    with pytest.raises(PluginFailed, match=r"Can't connect to local server through socket '.*/nothing'"):
        plugin.pre_restore(calls.restore(MysqlHost=str(place / "nothing")))


def test_a_server_without_tls_is_refused_when_it_must_have_it(calls: Calls) -> None:
    with pytest.raises(PluginFailed, match=r"Cannot connect to .*TLS/SSL error"):
        plugin.quiesce(calls.context(MysqlSslMode="verify"))


def test_a_database_that_is_not_there(calls: Calls) -> None:
    with pytest.raises(PluginFailed, match="There is no database 'nowhere' on"):
        plugin.quiesce(calls.context(MysqlDb="nowhere"))
    with pytest.raises(PluginFailed, match=r"There is no database 'nowhere' on .* correct MysqlRestoreDb"):
        plugin.pre_restore(calls.restore(MysqlRestoreDb="nowhere"))
    with pytest.raises(PluginFailed, match="There is no database"):
        plugin.quiesce(calls.context(MysqlDb="x' OR '1'='1"))


def test_what_a_user_is_not_shown_is_not_left_out_without_a_word(
    server: MariadbTestServer, shop: str, calls: Calls, user: str
) -> None:
    """With these rights mariadb-dump itself succeeds, without triggers and routines."""
    server.sql(f"GRANT SELECT, SHOW VIEW, EVENT ON `{shop}`.* TO {user}@'%'")
    with pytest.raises(PluginFailed) as failure:
        plugin.quiesce(calls.context(MysqlUser=user))
    assert f"it lacks TRIGGER, EXECUTE on `{shop}`.*" in str(failure.value)
    assert left(calls) == []


def test_a_user_with_just_the_rights_makes_the_same_dump(
    server: MariadbTestServer, shop: str, empty: str, calls: Calls, user: str
) -> None:
    role = f"role_{user}"
    server.sql(
        f"CREATE ROLE {role}; GRANT SELECT, SHOW VIEW, EVENT, TRIGGER, EXECUTE ON `{shop}`.* TO {role};"
        f"GRANT SELECT ON mysql.proc TO {role}; GRANT {role} TO {user}@'%'"
    )
    try:
        with pytest.raises(PluginFailed, match="There is no database"):
            plugin.quiesce(calls.context(MysqlUser=user))
        server.sql(f"SET DEFAULT ROLE {role} FOR {user}@'%'")
        plugin.quiesce(calls.context(MysqlUser=user))
        plugin.post_restore(calls.restore(MysqlRestoreDb=empty))
        assert server.contents(empty)["PROCEDURE twice"] == server.contents(shop)["PROCEDURE twice"]
        assert server.contents(empty)["triggers"] == server.contents(shop)["triggers"]
    finally:
        server.sql(f"DROP ROLE {role}")


def test_a_routine_whose_text_may_not_be_read(
    server: MariadbTestServer, shop: str, calls: Calls, user: str
) -> None:
    server.sql(f"GRANT SELECT, SHOW VIEW, EVENT, TRIGGER, EXECUTE ON `{shop}`.* TO {user}@'%'")
    with pytest.raises(
        PluginFailed, match=r"nothing is kept of it: .* insufficient privileges to SHOW CREATE"
    ):
        plugin.quiesce(calls.context(MysqlUser=user))
    assert calls.lines(Level.ERROR)[0].startswith("mariadb-dump: ")
    assert left(calls) == []


def test_tables_that_would_be_of_another_moment(server: MariadbTestServer, shop: str, calls: Calls) -> None:
    server.sql("CREATE TABLE old (n int) ENGINE=MyISAM; CREATE TABLE older (n int) ENGINE=Aria", shop)
    with pytest.raises(ConfigInvalid) as refused:
        plugin.quiesce(calls.context())
    assert refused.value.field == "MysqlAnyEngine"
    assert f"{shop}.old (MyISAM)" in refused.value.reason
    assert f"{shop}.older (Aria)" in refused.value.reason
    assert left(calls) == []
    assert plugin.quiesce(calls.context(MysqlAnyEngine="true")).code == 0
    assert len(calls.lines(Level.WARN)) == 1


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A filesystem of 200 KiB."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k,mode=755", "none", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small filesystem")
@pytest.mark.parametrize("form", [{}, {"MysqlDumpFormat": "plain"}], ids=["zstd", "plain"])
def test_a_full_disk(server: MariadbTestServer, shop: str, calls: Calls, form: dict[str, str]) -> None:
    server.sql("CREATE TABLE noise AS SELECT MD5(RAND()) AS a FROM seq_1_to_40000", shop)
    with small_disk(Path(calls.parameters["MysqlDumpPath"])):
        with pytest.raises(PluginFailed, match=r"Cannot write .*: No space left on device"):
            plugin.quiesce(calls.context(**form))
        assert left(calls) == []
    assert not running(calls)
    assert calls.lines(Level.ERROR) == [], (
        "the first error is the reason that is shown: the one that is raised"
    )


def test_a_folder_that_cannot_be_made(calls: Calls, place: Path) -> None:
    (place / "dumps").write_text("a file")
    with pytest.raises(PluginFailed, match=r"Cannot write or remove .*Not a directory"):
        plugin.quiesce(calls.context())


def test_a_view_that_does_not_work(server: MariadbTestServer, shop: str, calls: Calls) -> None:
    server.sql("CREATE TABLE gone (n int); CREATE VIEW broken AS SELECT n FROM gone; DROP TABLE gone", shop)
    with pytest.raises(PluginFailed, match=r"mariadb-dump ended with .*broken.* references invalid table"):
        plugin.quiesce(calls.context())
    assert left(calls) == []


def test_a_mariadb_dump_that_is_killed_leaves_no_session_that_waits(
    server: MariadbTestServer, shop: str, calls: Calls
) -> None:
    with locked(server, shop):
        attempt = Attempt(lambda: plugin.quiesce(calls.context()))
        until(lambda: waiting_sessions(server, shop))
        (pid,) = running(calls)
        os.kill(pid, signal.SIGKILL)
        outcome = attempt.join()
        assert isinstance(outcome, PluginFailed)
        assert "mariadb-dump ended with [signal: killed]" in str(outcome)
        until(lambda: not waiting_sessions(server, shop))
    assert left(calls) == []


def test_a_session_that_the_server_ends(server: MariadbTestServer, shop: str, calls: Calls) -> None:
    with locked(server, shop):
        attempt = Attempt(lambda: plugin.quiesce(calls.context()))
        (number,) = until(lambda: waiting_sessions(server, shop))
        server.sql(f"KILL {number}")
        outcome = attempt.join()
    assert isinstance(outcome, PluginFailed)
    assert "mariadb-dump ended with [exit status" in str(outcome)
    assert left(calls) == []


def test_a_server_that_stops_in_the_middle(place: Path) -> None:
    with running_server() as server:
        server.sql("CREATE DATABASE shop; CREATE TABLE shop.ledger (n int)")
        calls = Calls(server_parameters(server) | {"MysqlDb": "shop", "MysqlDumpPath": str(place / "dumps")})
        with locked(server, "shop"):
            attempt = Attempt(lambda: plugin.quiesce(calls.context()))
            until(lambda: waiting_sessions(server, "shop"))
            server.stop()
            outcome = attempt.join()
    assert isinstance(outcome, PluginFailed)
    assert "Lost connection to server" in str(outcome)
    assert left(calls) == []
    assert plugin.unquiesce(calls.context()).code == 0, "nothing stays frozen on a server that is gone"


def test_a_cancel_ends_the_dump_and_its_session(server: MariadbTestServer, shop: str, calls: Calls) -> None:
    with locked(server, shop):
        attempt = Attempt(lambda: plugin.quiesce(calls.context()))
        until(lambda: waiting_sessions(server, shop))
        assert not processes(PASSWORD), "the password is in no process's arguments"
        calls.cancel()
        assert isinstance(attempt.join(), Cancelled)
        until(lambda: not waiting_sessions(server, shop))
    assert not running(calls)
    assert left(calls) == []


def test_what_a_lost_worker_left_is_ended_and_removed(
    server: MariadbTestServer, shop: str, calls: Calls
) -> None:
    """The worker is killed while its mariadb-dump waits; unquiesce, on the next worker, cleans up."""
    with locked(server, shop):
        worker = subprocess.Popen([sys.executable, "-c", LOST_WORKER, json.dumps(calls.parameters)], cwd=ROOT)
        until(lambda: waiting_sessions(server, shop), 30)
        worker.kill()
        worker.wait()
        assert running(calls), "its mariadb-dump goes on"
        assert plugin.unquiesce(calls.context(8)).code == 0
        assert running(calls), "another run's is not touched"
        assert plugin.unquiesce(calls.context()).code == 0
        assert calls.lines(Level.WARN) == ["Ended 1 programs that a lost worker had left of this run"]
        until(lambda: not waiting_sessions(server, shop))
    assert not running(calls)
    assert left(calls) == []


def test_a_worker_that_is_lost_on_another_machine_leaves_nothing_either(
    server: MariadbTestServer, shop: str, calls: Calls
) -> None:
    """Nobody ends its mariadb-dump, which ends itself when it wants to write."""
    with locked(server, shop):
        worker = subprocess.Popen([sys.executable, "-c", LOST_WORKER, json.dumps(calls.parameters)], cwd=ROOT)
        until(lambda: waiting_sessions(server, shop), 30)
        worker.kill()
        worker.wait()
        assert running(calls)
    until(lambda: not running(calls))
    assert not (Path(calls.parameters["MysqlDumpPath"]) / "test" / "shop" / "7").exists()


def test_the_next_attempt_of_a_run_takes_the_place_of_the_last(calls: Calls) -> None:
    partial = Path(calls.parameters["MysqlDumpPath"]) / "test" / "shop" / ".7.partial"
    partial.mkdir(parents=True)
    (partial / "mariadb.sql.zst").write_text("half of one")
    os.mkfifo(partial / "pipe")
    plugin.quiesce(calls.context())
    plugin.quiesce(calls.context())
    assert left(calls) == ["test/shop/7/mariadb.sql.zst"]


def test_no_line_has_the_password(calls: Calls, user: str) -> None:
    plugin.quiesce(calls.context())
    assert not [text for _, text in calls.said if PASSWORD in text]
    with pytest.raises(PluginFailed) as failure:
        plugin.quiesce(calls.context(MysqlUser=user))
    assert not [text for _, text in calls.said if PASSWORD in text or "IDENTIFIED" in text]
    assert PASSWORD not in str(failure.value)


def test_the_workers_own_settings_are_not_the_plugins(calls: Calls, place: Path) -> None:
    (place / ".my.cnf").write_text("[client]\nhost=192.0.2.1\npassword=other\nssl-verify-server-cert\n")
    calls.environment.update(
        {"MYSQL_HOST": "192.0.2.1", "MYSQL_PWD": "other", "MARIADB_TLS_DISABLE_PEER_VERIFICATION": "1"}
        | {"HOME": str(place), "MYSQL_HOME": str(place)}
    )
    assert plugin.quiesce(calls.context()).code == 0
    with pytest.raises(PluginFailed, match=r"Access denied for user 'keeper'@.*using password: "):
        plugin.quiesce(calls.context(MysqlPassword=""))


def test_a_program_of_mysql_is_refused(calls: Calls, place: Path) -> None:
    other = place / "mysqldump"
    other.write_text(
        "#!/bin/sh\necho 'mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)'\n"
    )
    other.chmod(0o755)
    with pytest.raises(ConfigInvalid, match="is not mariadb-dump of MariaDB: it says 'mysqldump  Ver 8"):
        plugin.quiesce(calls.context(MysqlDumpCmd=str(other)))
    other.write_text("#!/bin/sh\necho 'mariadb-dump from 10.6.2-MariaDB, client 10.19 for Linux (x86_64)'\n")
    with pytest.raises(ConfigInvalid, match=r"mariadb-dump 10\.6 cannot dump all of a server of version"):
        plugin.quiesce(calls.context(MysqlDumpCmd=str(other)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("MysqlHost", "one,two"), ("MysqlHost", "host name"), ("MysqlHost", "-x"),
        ("MysqlHost", "/" + "x" * 107),
        ("MysqlProto", "pipe"), ("MysqlProto", "unix"),
        ("MysqlPort", "0"), ("MysqlPort", "65536"), ("MysqlPort", "3306x"),
        ("MysqlUser", ""), ("MysqlUser", "x" * 129), ("MysqlUser", "a\nb"),
        ("MysqlPassword", "a\nb"), ("MysqlSslMode", "maybe"), ("MysqlSslCa", "ca.pem"),
        ("MysqlDb", "x" * 129), ("MysqlDb", "a\0b"), ("MysqlDb", "mysql"), ("MysqlDb", "SYS"),
        ("MysqlDumpPath", ""), ("MysqlDumpPath", "dumps"), ("MysqlDumpPath", "/a,b"),
        ("MysqlDumpPath", "/a\nb"),
        ("MysqlDumpFormat", "gzip"), ("MysqlCompressionLevel", "0"), ("MysqlCompressionLevel", "20"),
        ("MysqlAnyEngine", "yes"), ("MysqlLockWaitSeconds", "0"), ("MysqlLockWaitSeconds", "soon"),
        ("MysqlDumpCmd", "bin/mariadb-dump"), ("MysqlDumpCmd", "-x"), ("MysqlDumpCmd", "/bin/true"),
        ("MysqlDumpCmd", "/nowhere/mariadb-dump"),
        ("MysqlRestoreCmd", "../mariadb"), ("MysqlRestoreCmd", program("mariadb-dump")),
        ("MysqlRestoreDb", "x" * 129), ("MysqlRestoreDb", "information_schema"), ("MysqlRestoreClean", "1"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_by_name(calls: Calls, field: str, value: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        plugin.quiesce(calls.context(**{field: value}))
    assert refused.value.field == field
    assert left(calls) == []
