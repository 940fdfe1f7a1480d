"""The plugin mariadb against a real server: the copy is started, and has what the server had."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer, started
from tests.plugins.mariadb.transfers import is_one_moment, made, transferring
from tests.plugins.postgres.waiting import Attempt, processes, until
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.mariadb.physical_copy import check_origin
from workflows_app.plugins.mariadb.plugin import plugin

ROOT = Path(__file__).resolve().parents[3]
LOST_WORKER = """
import json, sys
from tests.plugins.databases.calls import Calls
from workflows_app.plugins.mariadb.plugin import plugin
plugin.quiesce(Calls(json.loads(sys.argv[1])).context())
"""
# The server's own sessions are those of the system user.
SESSIONS = (
    "SELECT count(*) FROM information_schema.PROCESSLIST WHERE user = 'keeper' AND id <> CONNECTION_ID()"
)


@pytest.fixture
def copies(server: MariadbTestServer, shop: str, place: Path) -> Calls:
    """Calls of the plugin mariadb."""
    return Calls(server_parameters(server) | {"MysqlBackupPath": str(place / "copies")})


def staged(copies: Calls) -> Path:
    return Path(copies.parameters["MysqlBackupPath"]) / "test" / "shop" / "7"


def running(copies: Calls) -> dict[int, str]:
    return processes(f"--target-dir={copies.parameters['MysqlBackupPath']}")


def left(copies: Calls) -> list[Path]:
    return [path for path in Path(copies.parameters["MysqlBackupPath"]).rglob("*") if path.is_file()]


def test_a_copy_starts_and_has_each_transfer_whole(
    server: MariadbTestServer, shop: str, copies: Calls, place: Path
) -> None:
    server.sql("CREATE TABLE old (n int) ENGINE=MyISAM; INSERT INTO old VALUES (1), (2)", shop)
    with transferring(server, shop):
        begun = made(server, shop)
        assert plugin.quiesce(copies.context()).code == 0
        ended = made(server, shop)
    assert ended > begun, "the server was written to while it was copied"
    (found,) = plugin.discover(copies.context()).discover_list
    assert found.data == (str(staged(copies)),)
    with started(staged(copies) / "data", place / "server") as other:
        assert is_one_moment(other, shop)
        assert begun <= made(other, shop) <= ended, "all that was committed before, nothing of later"
        assert other.sql("SELECT n FROM old ORDER BY 1", shop) == [["1"], ["2"]]
        databases = [name for (name,) in other.sql("SHOW DATABASES")]
        for name in databases:
            tables = other.sql(f"SHOW FULL TABLES FROM `{name}` WHERE table_type <> 'VIEW'")
            for table, _ in tables if name in (shop, "mysql") else ():
                quoted = table.replace("`", "``")
                (*_, status) = other.sql(f"CHECK TABLE `{name}`.`{quoted}` EXTENDED")
                assert status[-1] == "OK" or "doesn't support check" in status[-1], (table, status)


def test_a_copy_of_a_quiet_server_is_equal(
    server: MariadbTestServer, shop: str, copies: Calls, place: Path
) -> None:
    plugin.quiesce(copies.context())
    assert copies.lines(Level.WARN, Level.ERROR) == []
    assert re.fullmatch(
        rf"The copy {staged(copies) / 'data'} is complete and prepared: \d+ files", copies.lines()[-1]
    )
    assert max(report.done_files for report in copies.reports) > 50
    assert staged(copies).stat().st_mode & 0o777 == 0o700
    until(lambda: server.sql(SESSIONS) == [["0"]])
    with started(staged(copies) / "data", place / "server") as other:
        assert without_counters(other.contents(shop)) == without_counters(server.contents(shop))
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "../data.sha256"], cwd=staged(copies) / "data", check=False
    )
    assert done.returncode == 0, "other tools read the checksums"
    plugin.unquiesce(copies.context())
    assert not staged(copies).exists()


def without_counters(contents: dict[str, list[list[str]]]) -> dict[str, list[list[str]]]:
    """InnoDB shows another, also unused, number for the next row after a start."""
    return {
        key: [[re.sub(r" AUTO_INCREMENT=\d+", "", value) for value in row] for row in rows]
        for key, rows in contents.items()
    }


def test_a_restored_copy_is_verified(copies: Calls) -> None:
    plugin.quiesce(copies.context())
    with pytest.raises(PluginFailed, match="is there already: the files of two servers would be mixed"):
        plugin.pre_restore(copies.restore())
    assert plugin.post_restore(copies.restore()).code == 0
    assert f"The copy in {staged(copies) / 'data'} is complete. To run it: " in copies.lines()[-1]
    data = staged(copies) / "data"
    (data / "mine").write_text("of another server")
    with pytest.raises(PluginFailed, match="is not as it was: mine: not in the manifest"):
        plugin.post_restore(copies.restore())
    (data / "mine").unlink()
    pages = data / "ibdata1"
    pages.write_bytes(pages.read_bytes()[:-1] + b"x")
    with pytest.raises(PluginFailed, match="is not as it was: ibdata1: changed"):
        plugin.post_restore(copies.restore())
    pages.unlink()
    with pytest.raises(PluginFailed, match="is not as it was: ibdata1: missing"):
        plugin.post_restore(copies.restore())
    plugin.unquiesce(copies.context())
    assert plugin.pre_restore(copies.restore()).code == 0
    with pytest.raises(PluginFailed, match="There is no copy in"):
        plugin.post_restore(copies.restore())


@pytest.mark.parametrize("end", ["cancelled", "killed", "lost"])
def test_a_copy_that_ends_in_the_middle_leaves_nothing(
    server: MariadbTestServer, shop: str, copies: Calls, end: str
) -> None:
    """A table that is locked for writing makes mariadb-backup wait for its first stage."""
    with server.session("LOCK TABLES ledger WRITE", shop):
        attempt = Attempt(lambda: plugin.quiesce(copies.context()))
        until(lambda: backup_waits(server))
        assert not processes(PASSWORD), "the password is in no process's arguments"
        if end == "cancelled":
            copies.cancel()
            assert isinstance(attempt.join(), Cancelled)
        elif end == "killed":
            (pid,) = running(copies)
            os.kill(pid, signal.SIGKILL)
            assert "mariadb-backup ended with [signal: killed]" in str(attempt.join())
        else:
            server.sql(f"KILL {backup_waits(server)[0]}")
            assert "mariadb-backup ended with [exit status 1]" in str(attempt.join())
        assert plugin.unquiesce(copies.context()).code == 0
        until(lambda: not backup_waits(server))
    assert not running(copies)
    assert left(copies) == []


def backup_waits(server: MariadbTestServer) -> list[str]:
    rows = server.sql("SELECT id FROM information_schema.PROCESSLIST WHERE info LIKE 'BACKUP STAGE%'")
    return [number for (number,) in rows]


def test_what_a_lost_worker_left_is_ended_and_nothing_stays_locked(
    server: MariadbTestServer, shop: str, copies: Calls
) -> None:
    with server.session("LOCK TABLES ledger WRITE", shop):
        worker = subprocess.Popen(
            [sys.executable, "-c", LOST_WORKER, json.dumps(copies.parameters)], cwd=ROOT
        )
        until(lambda: backup_waits(server), 30)
        worker.kill()
        worker.wait()
        assert running(copies), "its mariadb-backup goes on"
        assert plugin.unquiesce(copies.context()).code == 0
        assert copies.lines(Level.WARN) == ["Ended 1 programs that a lost worker had left of this run"]
        until(lambda: not backup_waits(server))
    assert not running(copies)
    assert left(copies) == []
    server.sql("CREATE TABLE later (n int); INSERT INTO audit VALUES (1)", shop)


def test_a_wait_for_locks_has_an_end(server: MariadbTestServer, shop: str, copies: Calls) -> None:
    with server.session("LOCK TABLES ledger WRITE", shop), pytest.raises(PluginFailed) as failure:
        plugin.quiesce(copies.context(MysqlLockWaitSeconds="1"))
    assert "could not be copied, and nothing is kept: mariadb-backup ended with" in str(failure.value)
    assert "Lock wait timeout exceeded" in str(failure.value)
    assert left(copies) == []


def test_a_user_that_may_not_back_up(copies: Calls, user: str) -> None:
    with pytest.raises(PluginFailed, match=r"missing required privilege RELOAD on \*\.\*"):
        plugin.quiesce(copies.context(MysqlUser=user))
    assert not [text for _, text in copies.said if "PASSWORD" in text or PASSWORD in text]


def test_a_user_with_just_the_rights(server: MariadbTestServer, copies: Calls, user: str) -> None:
    server.sql(f"GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR ON *.* TO {user}@'%'")
    assert plugin.quiesce(copies.context(MysqlUser=user)).code == 0


def test_data_outside_of_the_data_folder_is_refused(
    server: MariadbTestServer, shop: str, copies: Calls, place: Path
) -> None:
    (place / "space").mkdir()
    server.give(place / "space")
    server.sql(f"CREATE TABLE far (n int) DATA DIRECTORY='{place}/space'", shop)
    with pytest.raises(PluginFailed, match=r"has data outside of its data folder, by .*/far\.isl"):
        plugin.quiesce(copies.context())
    server.sql("DROP TABLE far", shop)


def test_a_data_folder_that_is_not_here(server: MariadbTestServer, copies: Calls) -> None:
    """As it is for a worker on another machine."""
    aside = server.data.with_name("aside")
    server.data.rename(aside)
    try:
        with pytest.raises(
            PluginFailed, match=r"cannot be read here: No such file or directory\. The worker"
        ):
            plugin.quiesce(copies.context())
    finally:
        aside.rename(server.data)


def test_a_copy_of_another_servers_files_is_refused(copies: Calls) -> None:
    plugin.quiesce(copies.context())
    data = staged(copies) / "data"
    checkpoints = next(data.glob("*checkpoints"))
    checkpoints.write_text(checkpoints.read_text().replace("log-applied", "full-backuped"))
    (end,) = re.findall(r"last_lsn = (\d+)", checkpoints.read_text())
    check_origin(data, int(end), int(end))
    for before, after in ((int(end) + 1, int(end) + 9), (0, int(end) - 1)):
        with pytest.raises(PluginFailed, match="the copied files are not the server's"):
            check_origin(data, before, after)


def test_another_version_of_the_program_is_refused(copies: Calls, place: Path) -> None:
    other = place / "mariadb-backup"
    other.write_text(
        "#!/bin/sh\necho 'mariadb-backup based on MariaDB server 10.6.18-MariaDB Linux (x86_64)'\n"
    )
    other.chmod(0o755)
    with pytest.raises(ConfigInvalid, match=r"is of version 10\.6, the server of version ") as refused:
        plugin.quiesce(copies.context(MysqlBackupCmd=str(other)))
    assert refused.value.field == "MysqlBackupCmd"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("MysqlBackupPath", ""), ("MysqlBackupPath", "/a,b"), ("MysqlBackupCmd", "bin/mariadb-backup"),
        ("MysqlBackupCmd", "/nowhere"), ("MysqlClientCmd", "/bin/true"), ("MysqlUser", ""),
        ("MysqlLockWaitSeconds", "never"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_by_name(copies: Calls, field: str, value: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        plugin.quiesce(copies.context(**{field: value}))
    assert refused.value.field == field


def test_a_place_whose_name_speaks_of_errors_makes_no_error(copies: Calls, place: Path) -> None:
    folder = place / "failed" / "it's an error"
    plugin.quiesce(copies.context(MysqlBackupPath=str(folder)))
    assert copies.lines(Level.ERROR) == []


def test_a_full_disk_leaves_nothing(copies: Calls) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small filesystem")
    folder = Path(copies.parameters["MysqlBackupPath"])
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "none", str(folder)], check=True)
    try:
        with pytest.raises(PluginFailed, match=r"mariadb-backup ended with \[.*No space left on device"):
            plugin.quiesce(copies.context())
        assert left(copies) == []
        assert copies.lines(Level.ERROR)[0].startswith("mariadb-backup: Error writing file ")
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert not running(copies)
    shutil.rmtree(folder)
