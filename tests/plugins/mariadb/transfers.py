"""Transfers of money that go on while a copy is made."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.plugins.mariadb.server import MariadbTestServer
from tests.plugins.postgres.waiting import until

# 200 transactions in one call of the client; each says that it is done.
_BATCH = 200
_TRANSFER = (
    "START TRANSACTION; UPDATE accounts SET balance = balance - 1 WHERE id = 1 + {n} % 10; "
    "UPDATE accounts SET balance = balance + 1 WHERE id = 11 + {n} % 10; "
    "INSERT INTO ledger (source, target, amount) VALUES (1 + {n} % 10, 11 + {n} % 10, 1); COMMIT;"
)


@contextmanager
def transferring(server: MariadbTestServer, database: str) -> Iterator[None]:
    """Transfers in a thread of its own, from before the block until its end."""
    server.sql("UPDATE accounts SET balance = 1000000", database)
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        n = 0
        try:
            while not stop.is_set():
                server.sql("".join(_TRANSFER.format(n=n + k) for k in range(_BATCH)), database)
                n += _BATCH
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        until(lambda: made(server, database) > 5)
        yield
    finally:
        stop.set()
        writer.join()
    assert not failures


def made(server: MariadbTestServer, database: str) -> int:
    """How many transfers there are."""
    ((count,),) = server.sql("SELECT count(*) FROM ledger WHERE amount > 0", database)
    return int(count)


def is_one_moment(server: MariadbTestServer, database: str) -> bool:
    """Whether each balance has exactly the transfers that are in the ledger."""
    assert server.sql("SELECT total FROM totals", database) == [["20000000"]]
    moved = server.sql(
        "SELECT target, sum(amount) FROM ledger WHERE amount > 0 GROUP BY 1 ORDER BY 1", database
    )
    balances = server.sql(
        "SELECT id, balance - 1000000 FROM accounts WHERE id > 10 AND balance > 1000000 ORDER BY 1", database
    )
    return bool(moved) and moved == balances
