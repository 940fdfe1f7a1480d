"""A real PostgreSQL server for tests: a cluster in a temporary folder, on a free port and a socket."""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

SUPERUSER = "postgres"
PASSWORD = "correct horse battery"


def programs_folder() -> Path:
    """Where PostgreSQL's programs are, those of its newest version. Fails when there are none."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(debian[-1]) if debian else shutil.which("initdb")
    if not found:
        pytest.fail("The tests need PostgreSQL: sh requirements/install.sh postgresql", pytrace=False)
    return Path(os.path.realpath(found)).parent


class Cluster:
    """One server, with a superuser who logs in by password, and databases made for a test."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.socket_folder = folder
        self.port = port
        self.bin = programs_folder()
        self._user = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        self.give(password)
        self._do(
            "initdb", "-D", str(self.data), "-U", SUPERUSER, "-A", "scram-sha-256",
            f"--pwfile={password}", "--no-sync", "--no-locale", "--encoding=UTF8",
        )  # fmt: skip

    def start(self) -> None:
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [
                str(self.bin / "postgres"), "-D", str(self.data), "-p", str(self.port),
                "-k", str(self.socket_folder), "-c", "listen_addresses=127.0.0.1",
                "-c", "fsync=off", "-c", "log_min_messages=fatal",
            ],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self._user, extra_groups=[],
            cwd=self.folder,
        )  # fmt: skip
        log.close()
        end = time.monotonic() + 30
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < end, "the server does not answer"
                time.sleep(0.02)

    def stop(self) -> None:
        """Stop at once what runs, its sessions too."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def connect(self, database: str = "postgres", user: str = SUPERUSER) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.socket_folder),
            port=self.port,
            user=user,
            password=PASSWORD,
            dbname=database,
            autocommit=True,
        )

    def execute(self, statement: str, database: str = "postgres") -> None:
        with self.connect(database) as connection:
            connection.execute(statement.encode())

    def rows(self, query: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with self.connect(database) as connection:
            return connection.execute(query.encode()).fetchall()

    def give(self, path: Path) -> None:
        """Let the server's user own a file or a folder and all that is in it."""
        if self._user is not None:
            entry = pwd.getpwuid(self._user)
            for place in (path, *path.rglob("*")):
                os.chown(place, entry.pw_uid, entry.pw_gid, follow_symlinks=False)

    def contents(self, database: str) -> dict[str, list[tuple[object, ...]]]:
        """All rows of all tables of a database, by the table's name; and its structure, by pg_dump."""
        tables = self.rows(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
            database,
        )
        found = {
            str(name): self.rows(f"SELECT t::text FROM {name} t ORDER BY 1", database)  # noqa: S608
            for (name,) in tables
        }
        # pg_dump 15.14 and later: each dump has keys of its own.
        structure = re.sub(r"(?m)^\\(un)?restrict .*$", "", self._do(
            "pg_dump", "--schema-only", "-h", str(self.socket_folder), "-p", str(self.port),
            "-U", SUPERUSER, "-d", database,
        ))  # fmt: skip
        return found | {"": [(line,) for line in structure.splitlines()]}

    def _do(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            env={"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD, "LC_ALL": "C"},
            user=self._user, extra_groups=[], cwd=self.folder,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A cluster of its own, started; stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="fossul-pg-"))
    cluster = Cluster(folder, free_port())
    try:
        cluster.give(folder)
        cluster.create()
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _unprivileged() -> int | None:
    """The user that the server runs as: PostgreSQL refuses root. None for the one who runs the tests."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    pytest.fail("There is no user that PostgreSQL could run as", pytrace=False)
