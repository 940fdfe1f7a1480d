"""What the tests of the MariaDB plugins share: one server, a database for each test, calls of a plugin."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mariadb.server import PASSWORD, USER, MariadbTestServer, running_server

# Money moves between accounts; each transfer is in the ledger, so any moment has its balances and no others.
SHOP = r"""
CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));
CREATE TABLE ledger (
    id bigint AUTO_INCREMENT PRIMARY KEY, source int NOT NULL, target int NOT NULL, amount bigint NOT NULL,
    FOREIGN KEY (source) REFERENCES accounts (id), FOREIGN KEY (target) REFERENCES accounts (id),
    KEY (source, target)
);
CREATE TABLE `it's, a ``"table"` (
    id bigint AUTO_INCREMENT PRIMARY KEY, how enum('calm', 'hectic'), text longtext, raw longblob,
    at timestamp(6) NULL, more json, some decimal(60, 20), geo point, bits bit(9),
    twice int AS (2 * id) VIRTUAL
) CHARSET utf8mb4;
CREATE TABLE prices (id int PRIMARY KEY, price int) WITH SYSTEM VERSIONING;
CREATE SEQUENCE tickets START WITH 5 NOCACHE;
CREATE VIEW totals AS SELECT sum(balance) AS total FROM accounts;
CREATE TABLE audit (n int);
CREATE TRIGGER after_transfer AFTER INSERT ON ledger FOR EACH ROW INSERT INTO audit VALUES (NEW.amount);
CREATE PROCEDURE twice(IN n int) COMMENT 'it''s; "quoted"' SELECT 2 * n;
CREATE FUNCTION half(n int) RETURNS int DETERMINISTIC RETURN n / 2;
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 03:00:00' DISABLE DO DELETE FROM audit;
INSERT INTO accounts SELECT seq, 1000 FROM seq_1_to_20;
INSERT INTO ledger (source, target, amount) SELECT 1 + seq % 20, 1 + seq % 7, 0 FROM seq_1_to_500;
INSERT INTO `it's, a ``"table"` (how, text, raw, at, more, some, geo, bits)
SELECT 'calm', CONCAT('line\n\tÄÖ😀\\\'"; -- ', seq, '\n-- Dump completed on 1\n'), CONCAT(x'00ff0a', seq),
    '2026-03-29 02:30:00.123456', JSON_OBJECT('n', seq), 1e30 / seq, POINT(seq, -seq), b'101010101'
FROM seq_1_to_300;
INSERT INTO `it's, a ``"table"` (text) VALUES (NULL), ('');
INSERT INTO prices VALUES (1, 10);
UPDATE prices SET price = 11;
DO NEXTVAL(tickets);
"""


@pytest.fixture(scope="session")
def server() -> Iterator[MariadbTestServer]:
    """One server for all tests; each has databases and users of its own."""
    with running_server() as running:
        yield running


@pytest.fixture
def shop(server: MariadbTestServer) -> Iterator[str]:
    """A database with something of everything."""
    name = f"shop-{uuid4().hex[:8]}"
    server.sql(f"CREATE DATABASE `{name}`")
    server.sql(SHOP, name)
    yield name
    server.sql(f"DROP DATABASE `{name}`")


@pytest.fixture
def empty(server: MariadbTestServer) -> Iterator[str]:
    """An empty database."""
    name = f"empty-{uuid4().hex[:8]}"
    server.sql(f"CREATE DATABASE `{name}`")
    yield name
    server.sql(f"DROP DATABASE `{name}`")


@pytest.fixture
def user(server: MariadbTestServer) -> Iterator[str]:
    """A user who may log in, and nothing more."""
    name = f"user_{uuid4().hex[:8]}"
    server.sql(f"CREATE USER {name}@'%' IDENTIFIED BY '{PASSWORD}'")
    yield name
    server.sql(f"DROP USER {name}@'%'")


def server_parameters(server: MariadbTestServer) -> dict[str, str]:
    """How a plugin reaches the server, by TCP."""
    return {
        "MysqlHost": "127.0.0.1",
        "MysqlPort": str(server.port),
        "MysqlUser": USER,
        "MysqlPassword": PASSWORD,
    }


@pytest.fixture
def calls(server: MariadbTestServer, shop: str, place: Path) -> Calls:
    """Calls of mariadb-dump for the database of the test."""
    return Calls({**server_parameters(server), "MysqlDb": shop, "MysqlDumpPath": str(place / "dumps")})
