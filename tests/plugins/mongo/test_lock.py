"""The lock is taken, it is known whose it is, and it is taken back: by any worker, and never somebody else's.

Against a scripted server (see ``scripted_mongod``), since SecantusDB has no such lock and there is no mongod.
"""

import datetime
import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mongo.conftest import Workers
from tests.plugins.mongo.scripted_mongod import ScriptedMongod, refused
from tests.plugins.mongo.server import running_server
from tests.plugins.postgres.waiting import until
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.mongo.lock import StillLocked
from workflows_app.plugins.mongo.notes import LockNotes
from workflows_app.plugins.mongo.plugin import MongoServer, run_name

ROOT = Path(__file__).resolve().parents[3]
LOST_WORKER = """
import json, os, sys
from tests.plugins.databases.calls import Calls
from workflows_app.plugins.mongo.notes import LockNotes
from workflows_app.plugins.mongo.plugin import plugin
plugin.quiesce(Calls(json.loads(sys.argv[1])).context())
os._exit(9)
"""


def relying(calls: Calls, run: int = 7) -> PluginContext:
    """The call of an unquiesce after a backup on which the run relies."""
    return replace(calls.context(run), relies_on_freeze=True)


def test_a_run_locks_and_unlocks(mongod: ScriptedMongod, calls: Calls, plugin: MongoServer) -> None:
    (found,) = plugin.discover(calls.context()).discover_list
    assert found.data[0].endswith("/db")
    assert plugin.quiesce(calls.context()).code == 0
    assert mongod.lock_count == 1
    assert calls.lines()[-1] == "The server said: now locked against writes"
    assert mongod.runs == mongod.comments == [run_name(calls.context().config)]

    assert plugin.unquiesce(calls.context()).code == 0
    assert calls.lines() == [f"Unlocked 127.0.0.1:{mongod.port}"]
    assert mongod.lock_count == 0
    assert mongod.runs == []
    until(lambda: mongod.connections == 0)

    assert plugin.unquiesce(calls.context()).code == 0
    assert calls.lines() == [f"This run has no lock on 127.0.0.1:{mongod.port}"]


def test_it_is_said_that_the_lock_outlives_the_worker(calls: Calls, plugin: MongoServer) -> None:
    plugin.quiesce(calls.context())
    (warning,) = calls.lines(Level.WARN)
    assert "not even when this worker is lost" in warning
    assert "db.fsyncUnlock()" in warning
    plugin.unquiesce(calls.context())


def test_the_connection_stays_open_and_is_used_again(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    """A locked server may let nobody in: then only who is in can unlock."""
    plugin.quiesce(calls.context())
    handshakes = mongod.asked.count("ping")
    plugin.unquiesce(calls.context())
    assert mongod.asked.count("ping") == handshakes, "no other connection was made"
    assert mongod.lock_count == 0


def test_a_lost_worker_leaves_the_lock_and_another_takes_it_back(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOST_WORKER, json.dumps(calls.parameters)], cwd=ROOT, check=False, timeout=60
    )
    assert done.returncode == 9
    until(lambda: mongod.connections == 0)
    assert mongod.lock_count == 1, "the lock is the server's own"
    assert plugin.unquiesce(calls.context(8)).code == 0
    assert mongod.lock_count == 1, "the lock is not run 8's"
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 0
    assert mongod.runs == []


def test_what_another_worker_has_unlocked_is_not_unlocked_again(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer, new_worker: Workers
) -> None:
    """A watchdog thaws on any worker, and the next run may lock before the first worker hears of it."""
    other = new_worker()
    plugin.quiesce(calls.context())
    other.unquiesce(calls.context())
    other.quiesce(calls.context(8))
    assert plugin.unquiesce(calls.context()).code == 0
    assert calls.lines() == [f"This run has no lock on 127.0.0.1:{mongod.port}"]
    assert mongod.lock_count == 1, "run 8's lock stays"
    other.unquiesce(calls.context(8))
    assert mongod.lock_count == 0


def test_a_server_that_is_locked_already_is_left_alone(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer, new_worker: Workers
) -> None:
    at = datetime.datetime(2026, 11, 24, 3, 12, tzinfo=datetime.UTC)
    mongod.clock = lambda: at
    other = new_worker()
    other.quiesce(calls.context(8))
    with pytest.raises(PluginFailed) as failure:
        plugin.quiesce(calls.context())
    who = run_name(calls.context(8).config)
    assert f"is locked against writes already ({who}, 2026-11-24 03:12 UTC)" in str(failure.value)
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 1, "the lock of somebody else stays"
    assert mongod.comments == [who]


def test_locks_of_others_that_stay_are_told(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    plugin.quiesce(calls.context())
    mongod.lock_count += 1
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 1
    assert "and 1 of others stay: nobody can write" in calls.lines(Level.WARN)[0]
    # A watchdog, and then the run itself: the second finds the first one's note still there.
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 1


def test_a_lock_that_was_lost_meanwhile_fails_the_run(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    plugin.quiesce(calls.context())
    mongod.restart()
    for _ in ("an attempt", "the next one"):
        with pytest.raises(
            PluginFailed, match=r"was not locked by this run any more .* do not rely on this backup"
        ):
            plugin.unquiesce(relying(calls))
    assert plugin.unquiesce(calls.context()).code == 0, "a run that is given up relies on nothing"
    assert mongod.runs == []


def test_a_refused_lock_leaves_no_note(mongod: ScriptedMongod, calls: Calls, plugin: MongoServer) -> None:
    def refuse() -> dict[str, object]:
        mongod.lock_count = 0
        return refused(13, "not authorized on admin")()

    mongod.scripts["fsync"] = refuse
    with pytest.raises(PluginFailed, match=r"Without a user .* may not lock itself against writes \(fsync\)"):
        plugin.quiesce(calls.context())
    assert mongod.runs == []
    assert plugin.unquiesce(calls.context()).code == 0


def test_a_note_that_cannot_be_taken_locks_nothing(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    mongod.scripts["delete"] = refused(13, "not authorized on local")
    with pytest.raises(PluginFailed, match=r"may not take a note of the lock \(local\.fossul_locks\)"):
        plugin.quiesce(calls.context())
    assert "fsync" not in mongod.asked


def test_a_connection_that_is_lost_while_locking_is_cleared_up(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    """The server has locked, and its answer did not come."""
    mongod.scripts["fsync"] = lambda: None
    with pytest.raises(
        PluginFailed, match=r"The connection to .* was lost while it was asked to lock itself"
    ):
        plugin.quiesce(calls.context())
    assert mongod.lock_count == 1
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 0


def test_a_lock_that_does_not_come_in_time(mongod: ScriptedMongod, calls: Calls, plugin: MongoServer) -> None:
    mongod.scripts["fsync"] = refused(50, "operation exceeded time limit")
    with pytest.raises(PluginFailed, match=r"could not be locked in 3 s \(MongoLockWaitSeconds\)"):
        plugin.quiesce(calls.context(MongoLockWaitSeconds="3"))
    assert mongod.lock_count == 1, "it came after all"
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 0


def test_a_server_that_cannot_be_reached_is_unlocked_by_a_later_attempt(
    mongod: ScriptedMongod,
    calls: Calls,
    plugin: MongoServer,
    new_worker: Workers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first attempt crashes, so that Temporal makes another: a refusal would be the end of it."""
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 0.5)
    plugin.quiesce(calls.context())
    with pytest.raises(StillLocked, match=r"may still be locked: .* is tried again"):
        new_worker().unquiesce(calls.context(MongoPort="1"))
    assert mongod.lock_count == 1
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 0


def test_a_lock_that_is_waited_for_too_long(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    """As a mongod waits for writes that are under way: the lock is counted, and the answer is not there."""
    over = threading.Event()

    def wait() -> None:
        assert over.wait(20)

    mongod.scripts["fsync"] = wait
    try:
        with pytest.raises(PluginFailed, match=r"could not be locked in 1 s \(MongoLockWaitSeconds\)"):
            plugin.quiesce(calls.context(MongoLockWaitSeconds="1"))
    finally:
        over.set()
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 0


def test_a_kept_connection_that_is_gone_is_replaced(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    def drop() -> None:
        mongod.lock_count += 1  # it went before the server had done it

    plugin.quiesce(calls.context())
    mongod.scripts["fsyncUnlock"] = drop
    plugin.unquiesce(calls.context())
    assert mongod.asked.count("fsyncUnlock") == 2
    assert mongod.lock_count == 0


def test_an_unlock_whose_answer_was_lost_is_not_believed(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    """It cannot be told from a lock that somebody else took away; so the backup is not relied on."""
    plugin.quiesce(calls.context())
    mongod.scripts["fsyncUnlock"] = lambda: None
    with pytest.raises(PluginFailed, match="do not rely on this backup"):
        plugin.unquiesce(relying(calls))
    assert mongod.lock_count == 0


def test_a_cancelled_call_says_so_once_it_has_locked(
    mongod: ScriptedMongod, calls: Calls, plugin: MongoServer
) -> None:
    """Its compensation finds the lock."""
    calls.on_line = lambda text: calls.cancel() if text.startswith("Locking") else None
    with pytest.raises(Cancelled):
        plugin.quiesce(calls.context())
    plugin.unquiesce(calls.context())
    assert mongod.lock_count == 0


def test_a_router_is_refused(calls: Calls, plugin: MongoServer) -> None:
    with ScriptedMongod(router=True) as router, pytest.raises(ConfigInvalid, match="is a router") as refusal:
        plugin.quiesce(calls.context(MongoPort=str(router.port)))
    assert refusal.value.field == "MongoHost"


def test_a_server_that_has_no_such_lock_says_so(plugin: MongoServer) -> None:
    """SecantusDB, over the real protocol: the refusal is read, the note goes, and unquiesce is content."""
    with running_server() as server:
        calls = Calls({"MongoHost": "127.0.0.1", "MongoPort": str(server.port), "MongoDataPath": "/data"})
        with pytest.raises(PluginFailed, match="fsync with lock:true is not supported by SecantusDB"):
            plugin.quiesce(calls.context())
        assert LockNotes(server.client).holder() == ""
        assert plugin.unquiesce(calls.context()).code == 0
        plugin.discover(calls.context())
        assert calls.lines() == [f"Instance [127.0.0.1:{server.port}] data files: [/data] log files: []"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("MongoDataPath", "data"),
        ("MongoDataPath", "/a,b"),
        ("MongoLockWaitSeconds", "0"),
        ("MongoHost", "a b"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(
    calls: Calls, plugin: MongoServer, field: str, value: str
) -> None:
    for step in (plugin.discover, plugin.quiesce, plugin.unquiesce):
        with pytest.raises(ConfigInvalid) as refusal:
            step(calls.context(**{field: value}))
        assert refusal.value.field == field
