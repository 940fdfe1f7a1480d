"""A real MariaDB server for tests: a data folder in a temporary one, on a free port and a socket."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.plugins.postgres.cluster import free_port

USER = "keeper"
PASSWORD = "correct horse battery"


def program(name: str) -> str:
    """The path of one of MariaDB's programs. Fails when it is not there."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not found:
        pytest.fail("The tests need MariaDB: sh requirements/install.sh mariadb", pytrace=False)
    return found


class MariadbTestServer:
    """One server, with a user who may do everything and logs in by password."""

    def __init__(self, folder: Path, data: Path | None = None) -> None:
        self.folder = folder
        self.data = data or folder / "data"
        self.socket = folder / "socket"
        self.port = free_port()
        self._user = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None

    def create(self, *options: str) -> None:
        done = subprocess.run(
            [
                program("mariadb-install-db"), "--no-defaults", f"--datadir={self.data}", "--skip-test-db",
                "--auth-root-authentication-method=normal", *options,
            ],
            user=self._user, extra_groups=[], cwd=self.folder, capture_output=True, text=True, check=False,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, *options: str, user: str = USER) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    program("mariadbd"), "--no-defaults", f"--datadir={self.data}", f"--port={self.port}",
                    "--bind-address=127.0.0.1", f"--socket={self.socket}",
                    f"--pid-file={self.folder / 'pid'}", "--skip-log-bin", "--innodb-fast-shutdown=2",
                    "--innodb-flush-log-at-trx-commit=2", "--skip-name-resolve", *options,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self._user, extra_groups=[],
                cwd=self.folder,
            )  # fmt: skip
        end = time.monotonic() + 30
        while self._client("SELECT 1", "", user).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop at once what runs, its sessions too."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def sql(self, statements: str, database: str = "", user: str = USER) -> list[list[str]]:
        """Run statements; the rows of those that answer some."""
        done = self._client(statements, database, user)
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    @contextmanager
    def session(self, statements: str, database: str = "") -> Iterator[None]:
        """A session that has run statements, and then stays open for as long as it is entered."""
        process = subprocess.Popen(
            [*self._argv(database), f"--user={USER}", "--unbuffered"], env=self._environment(USER), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        with process:
            try:
                process.stdin.write(f"{statements}; SELECT 'ready';\n")
                process.stdin.flush()
                assert process.stdout.readline() == "ready\n"
                yield
            finally:
                process.kill()

    def give(self, path: Path) -> None:
        """Let the server's user own a file or a folder and all that is in it."""
        if self._user is not None:
            entry = pwd.getpwuid(self._user)
            for place in (path, *path.rglob("*")):
                os.chown(place, entry.pw_uid, entry.pw_gid, follow_symlinks=False)

    def contents(self, database: str) -> dict[str, list[list[str]]]:
        """All rows of all tables of a database, by the table's name; and how everything in it is made."""
        found: dict[str, list[list[str]]] = {}
        kinds = self.sql(f"SHOW FULL TABLES FROM `{database}`")
        for name, kind in kinds:
            quoted = f"`{name.replace('`', '``')}`"
            rows = self.sql(f"SELECT * FROM {quoted}", database)  # noqa: S608
            found[name] = [[kind], *sorted(rows)]
            found[f"{name} made"] = self.sql(f"SHOW CREATE TABLE {quoted}", database)
        for what in ("PROCEDURE", "FUNCTION", "EVENT"):
            column = "event" if what == "EVENT" else "routine"
            names = self.sql(
                f"SELECT {column}_name FROM information_schema.{column}S "  # noqa: S608
                f"WHERE {column}_schema = '{database}'"
                + (f" AND routine_type = '{what}'" if column == "routine" else "")
            )
            for (name,) in names:
                found[f"{what} {name}"] = self.sql(f"SHOW CREATE {what} `{name}`", database)
        found["triggers"] = self.sql(
            "SELECT trigger_name, event_object_table, action_statement, action_timing, definer "  # noqa: S608
            f"FROM information_schema.TRIGGERS WHERE trigger_schema = '{database}'"
        )
        return found

    def _argv(self, database: str) -> list[str]:
        return [
            program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--batch", "--skip-column-names",
            "--default-character-set=utf8mb4", "--binary-as-hex", f"--database={database}",
        ]  # fmt: skip

    def _environment(self, user: str) -> dict[str, str]:
        password = {} if user == "root" else {"MYSQL_PWD": PASSWORD}
        return {"PATH": os.environ["PATH"], "USER": user, "LC_ALL": "C", **password}

    def _client(self, statements: str, database: str, user: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._argv(database), f"--user={user}"], input=statements, env=self._environment(user),
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip


@contextmanager
def running_server(*options: str) -> Iterator[MariadbTestServer]:
    """A server of its own, made and started with ``options``; stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="fossul-maria-"))
    folder.chmod(0o755)
    server = MariadbTestServer(folder)
    try:
        server.give(folder)
        server.create(*options)
        server.start(*options, user="root")
        server.sql(
            f"CREATE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}';"
            f"GRANT ALL ON *.* TO {USER}@'%' WITH GRANT OPTION;"
            f"CREATE USER {USER}@localhost IDENTIFIED BY '{PASSWORD}';"
            f"GRANT ALL ON *.* TO {USER}@localhost WITH GRANT OPTION",
            user="root",
        )
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@contextmanager
def started(data: Path, place: Path, *options: str) -> Iterator[MariadbTestServer]:
    """A server of its own on a copy of a copy, started with ``options``."""
    place.mkdir()
    place.chmod(0o755)
    other = MariadbTestServer(place)
    shutil.copytree(data, other.data, symlinks=True)
    other.give(place)
    other.start(*options)
    try:
        yield other
    finally:
        other.stop()


def _unprivileged() -> int | None:
    """The user that the server runs as: MariaDB refuses root. None for the one who runs the tests."""
    if os.geteuid() != 0:
        return None
    for name in ("mysql", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    pytest.fail("There is no user that MariaDB could run as", pytrace=False)
