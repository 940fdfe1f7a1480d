"""What the tests of the PostgreSQL plugins share: one server, a database for each test, calls of a plugin."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from tests.plugins.postgres.cluster import PASSWORD, SUPERUSER, Cluster, running_cluster
from workflows_app.domain.config import Config
from workflows_app.domain.results import Backup, Content, Level
from workflows_app.domain.runs.restores import RestoreRequest
from workflows_app.plugins.base import PluginContext, Report

EPOCH = 1_700_000_000

# Money moves between accounts; each transfer is in the ledger, so any moment has its balances and no others.
SHOP = r'''
CREATE SCHEMA "Büro";
CREATE TYPE mood AS ENUM ('calm', 'hectic');
CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
CREATE TABLE ledger (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source int NOT NULL REFERENCES accounts, target int NOT NULL REFERENCES accounts, amount bigint NOT NULL
);
CREATE TABLE "Büro"."it's, a ""table""" (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), how mood, text text, raw bytea, at timestamptz, more jsonb,
    "some" numeric[]
);
CREATE INDEX ON ledger (source, target);
CREATE VIEW totals AS SELECT sum(balance) AS total FROM accounts;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
INSERT INTO accounts SELECT n, 1000 FROM generate_series(1, 20) n;
INSERT INTO ledger (source, target, amount) SELECT 1 + n % 20, 1 + n % 7, 0 FROM generate_series(1, 500) n;
INSERT INTO "Büro"."it's, a ""table""" (how, text, raw, at, more, "some")
SELECT 'calm', E'line\nÄÖ\t\\' || n, decode(md5(n::text), 'hex'), '2026-03-29 02:30+01'::timestamptz,
    jsonb_build_object('n', n, 'none', NULL), ARRAY[n, NULL, 1e40] FROM generate_series(1, 300) n;
INSERT INTO "Büro"."it's, a ""table""" (text) VALUES (NULL), ('');
SELECT lo_from_bytea(0, decode('00ff', 'hex'));
'''


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One server for all tests; each has databases and roles of its own."""
    with running_cluster() as running:
        yield running


@pytest.fixture
def shop(cluster: Cluster) -> Iterator[str]:
    """A database with something of everything."""
    name = f"shop-{uuid4().hex[:8]}"
    cluster.execute(f'CREATE DATABASE "{name}"')
    cluster.execute(SHOP, name)
    yield name
    cluster.execute(f'DROP DATABASE "{name}" (FORCE)')


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[str]:
    """An empty database."""
    name = f"empty-{uuid4().hex[:8]}"
    cluster.execute(f'CREATE DATABASE "{name}"')
    yield name
    cluster.execute(f'DROP DATABASE "{name}" (FORCE)')


@pytest.fixture
def role(cluster: Cluster) -> Iterator[str]:
    """A role that may log in, and nothing more."""
    name = f"role_{uuid4().hex[:8]}"
    cluster.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield name
    cluster.execute(f"DROP ROLE {name}")


@dataclass
class Calls:
    """Calls of a plugin with parameters, and what the last one said."""

    parameters: dict[str, str]
    said: list[tuple[Level, str]] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    on_line: Callable[[str], None] = lambda text: None
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": os.environ["PATH"]})
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _stops: list[Callable[[], None]] = field(default_factory=list)

    def context(self, number: int = 7, **changes: str) -> PluginContext:
        """A call of backup run ``number``; ``changes`` to the parameters."""
        config = Config(profile_name="test", config_name="shop", auto_discovery=True)
        config = config.for_run(number, "daily", EPOCH + number)
        return self._context(config, RestoreRequest(), changes)

    def restore(
        self, number: int = 7, *, source: Path | None = None, target: str = "", **changes: str
    ) -> PluginContext:
        """A call of restore run 90, of the backup of ``number``, which was at ``source``."""
        contents = (Content(type="filesystem", source=str(source)),) if source else ()
        backup = Backup(
            name=f"shop-daily-{number}-1", policy="daily", workflow_id=str(number), contents=contents
        )
        config = Config(profile_name="test", config_name="shop").for_restore(90, backup, EPOCH + 90)
        return self._context(config, RestoreRequest(target=target), changes)

    def cancel(self) -> None:
        self._cancelled.set()
        for stop in list(self._stops):
            stop()

    def lines(self, *levels: Level) -> list[str]:
        return [text for level, text in self.said if level in (levels or (Level.INFO,))]

    def _context(self, config: Config, request: RestoreRequest, changes: dict[str, str]) -> PluginContext:
        self.said.clear()
        self.reports.clear()
        return PluginContext(
            config=config,
            parameters=self.parameters | changes,
            say=self._say,
            report=self.reports.append,
            cancelled=self._cancelled.is_set,
            on_cancel=self._on_cancel,
            environment=self.environment,
            restore=request,
        )

    def _say(self, level: Level, text: str) -> None:
        self.said.append((level, text))
        self.on_line(text)

    def _on_cancel(self, stop: Callable[[], None]) -> Callable[[], None]:
        self._stops.append(stop)
        if self._cancelled.is_set():
            stop()

        def take_back() -> None:
            with suppress(ValueError):
                self._stops.remove(stop)

        return take_back


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user of the machine may enter, which the folders of pytest do not let them."""
    folder = Path(tempfile.mkdtemp(prefix="fossul-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def server_parameters(cluster: Cluster) -> dict[str, str]:
    """How a plugin reaches the server, by TCP."""
    return {
        "PqHost": "127.0.0.1",
        "PqPort": str(cluster.port),
        "PqUser": SUPERUSER,
        "PqPassword": PASSWORD,
    }


@pytest.fixture
def calls(cluster: Cluster, shop: str, place: Path) -> Calls:
    """Calls of postgres-dump for the database of the test."""
    return Calls(
        {
            **server_parameters(cluster),
            "PqDb": shop,
            "PqDumpPath": str(place / "dumps"),
            "PqDumpCmd": str(cluster.bin / "pg_dump"),
            "PqRestoreCmd": str(cluster.bin / "pg_restore"),
        }
    )
