"""What the tests of the PostgreSQL plugins share: one server, a database for each test, calls of a plugin."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.postgres.cluster import PASSWORD, SUPERUSER, Cluster, running_cluster

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
