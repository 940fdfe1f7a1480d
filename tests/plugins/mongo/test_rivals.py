"""Several lock one server: at one moment, or when a lock was lost. Each run takes back its own alone.

The workers are plugins that know nothing of each other; what they have in common is the server.
"""

import datetime
import threading
from collections.abc import Callable

import pytest
from pymongo import MongoClient

from tests.plugins.databases.calls import Calls
from tests.plugins.mongo.conftest import Workers
from tests.plugins.mongo.scripted_mongod import ScriptedMongod
from tests.plugins.mongo.server import running_server
from tests.plugins.mongo.test_lock import relying
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.mongo.notes import LockNotes

GONE = r"was not locked by this run any more .* do not rely on this backup"


def refusal_of(call: Callable[[], object]) -> str:
    """Why ``call`` is refused; empty when it is not."""
    try:
        call()
    except PluginFailed as error:
        return str(error)
    return ""


def later(mongod: ScriptedMongod, **by: int) -> None:
    """Let the server's clock go on."""
    now = mongod.clock() + datetime.timedelta(**by)
    mongod.clock = lambda: now


@pytest.mark.parametrize(
    ("moment", "why"),
    [
        ("find", "is about to be locked by another run"),
        ("insert", "could not take a note of the lock"),
        ("fsync", ""),
    ],
)
def test_of_two_runs_that_lock_at_the_same_moment_one_does_and_keeps_its_lock(
    mongod: ScriptedMongod, calls: Calls, new_worker: Workers, moment: str, why: str
) -> None:
    """Both have seen that the server is not locked. The loser's compensation is another worker's."""
    refusals: dict[int, str] = {}

    def rival() -> None:
        refusals[8] = refusal_of(lambda: new_worker().quiesce(calls.context(8)))

    mongod.meanwhile[moment] = rival
    refusals[7] = refusal_of(lambda: new_worker().quiesce(calls.context()))
    assert why in refusals[7]
    winner, loser = (8, 7) if refusals[7] else (7, 8)
    assert not refusals[winner] and refusals[loser]
    assert mongod.lock_count == 1
    assert new_worker().unquiesce(calls.context(loser)).code == 0
    assert mongod.lock_count == 1, "the winner's lock stays"
    assert new_worker().unquiesce(relying(calls, winner)).code == 0
    assert mongod.lock_count == 0


def test_the_turn_is_of_one_however_many_take_it_at_once() -> None:
    """Over the real protocol, in SecantusDB: whoever comes second finds another document than it has read."""
    with running_server() as server:
        for first in ("nobody before", "somebody before"):
            told: dict[str, str] = {}
            barrier = threading.Barrier(4)

            def take(run: str, told: dict[str, str] = told, barrier: threading.Barrier = barrier) -> None:
                with MongoClient(
                    "127.0.0.1", server.port, directConnection=True, retryWrites=False
                ) as client:
                    barrier.wait(20)
                    told[run] = LockNotes(client).claim(run)

            threads = [threading.Thread(target=take, args=(f"{first} {n}",)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
            (winner,) = [run for run, who in told.items() if not who]
            assert len(told) == 4
            notes = LockNotes(server.client)
            claim = notes.of(winner)
            assert claim and claim.stands
            assert notes.holder().startswith(winner)
            notes.remove(winner)
            assert notes.holder() == ""


def test_somebody_who_locks_at_the_same_moment_keeps_the_lock(
    mongod: ScriptedMongod, calls: Calls, new_worker: Workers
) -> None:
    """This run's own stays for its compensation, which takes back one, on whichever worker."""

    def somebody() -> None:
        mongod.lock_count += 1

    first = new_worker()
    mongod.meanwhile["fsync"] = somebody
    with pytest.raises(PluginFailed, match=r"was locked by somebody else at the same moment \(1 locks\)"):
        first.quiesce(calls.context())
    assert mongod.lock_count == 2
    # As the engine does after a step that freezes and failed.
    assert new_worker().unquiesce(calls.context()).code == 0
    assert "and 1 of others stay: nobody can write" in calls.lines(Level.WARN)[0]
    assert mongod.lock_count == 1
    # Another attempt of the same step, when the other one is done.
    mongod.lock_count = 0
    first.quiesce(calls.context())
    first.unquiesce(relying(calls))
    assert (mongod.lock_count, mongod.runs) == (0, [])


def test_a_new_lock_is_given_back_on_a_worker_that_gave_an_earlier_one_of_the_run_back(
    mongod: ScriptedMongod, calls: Calls, new_worker: Workers
) -> None:
    """A run that was thawed to wait for a person locks anew, perhaps on another worker."""
    first = new_worker()
    first.quiesce(calls.context())
    mongod.lock_count += 1
    first.unquiesce(calls.context())
    mongod.lock_count = 0
    later(mongod, minutes=5)
    new_worker().quiesce(calls.context())
    first.unquiesce(relying(calls))
    assert mongod.lock_count == 0


@pytest.mark.parametrize("somebody", ["another run", "a person"])
def test_a_lock_that_went_with_a_restart_is_not_taken_from_who_locked_since(
    mongod: ScriptedMongod, calls: Calls, new_worker: Workers, somebody: str
) -> None:
    new_worker().quiesce(calls.context())
    mongod.restart()
    if somebody == "another run":
        new_worker().quiesce(calls.context(8))
    else:
        mongod.lock_count = 1
    for _ in ("an attempt", "the next one"):
        with pytest.raises(PluginFailed, match=GONE):
            new_worker().unquiesce(relying(calls))
    assert new_worker().unquiesce(calls.context()).code == 0, "a run that is given up relies on nothing"
    assert mongod.lock_count == 1
    if somebody == "another run":
        new_worker().unquiesce(relying(calls, 8))
        assert mongod.lock_count == 0


def test_a_lock_that_was_taken_away_is_not_taken_from_the_run_that_locked_since(
    mongod: ScriptedMongod, calls: Calls, new_worker: Workers
) -> None:
    new_worker().quiesce(calls.context())
    mongod.lock_count = 0
    later(mongod, minutes=5)
    new_worker().quiesce(calls.context(8))
    with pytest.raises(PluginFailed, match=GONE):
        new_worker().unquiesce(relying(calls))
    new_worker().unquiesce(relying(calls, 8))
    assert mongod.lock_count == 0


def test_a_run_that_is_about_to_lock_is_left_its_turn_for_a_minute(
    mongod: ScriptedMongod, calls: Calls, new_worker: Workers
) -> None:
    """Its worker may be lost between the note and the lock; then the turn is the next one's."""
    mongod.scripts["fsync"] = lambda: None
    assert "connection" in refusal_of(lambda: new_worker().quiesce(calls.context()))
    mongod.lock_count = 0
    later(mongod, seconds=50)
    assert "is about to be locked by another run" in refusal_of(
        lambda: new_worker().quiesce(calls.context(8))
    )
    assert mongod.runs == mongod.comments, "whom the turn was refused leaves no note"
    later(mongod, seconds=20)
    new_worker().quiesce(calls.context(8))
    new_worker().unquiesce(calls.context())
    assert mongod.lock_count == 1
    new_worker().unquiesce(relying(calls, 8))
    assert mongod.lock_count == 0


def test_a_worker_that_stood_still_before_it_locked_takes_its_lock_back_at_once(
    mongod: ScriptedMongod, calls: Calls, new_worker: Workers
) -> None:
    rival = new_worker()

    def stand_still() -> None:
        later(mongod, minutes=5)
        rival.quiesce(calls.context(8))

    mongod.meanwhile["fsync"] = stand_still
    with pytest.raises(PluginFailed, match="was locked too late: another run began to lock it meanwhile"):
        new_worker().quiesce(calls.context())
    new_worker().unquiesce(calls.context())
    assert mongod.lock_count == 1
    rival.unquiesce(relying(calls, 8))
    assert mongod.lock_count == 0


def test_a_note_of_an_earlier_version_is_known_by_itself(
    mongod: ScriptedMongod, calls: Calls, new_worker: Workers
) -> None:
    """It left no turn; a worker that is upgraded while a server is locked unlocks it all the same."""
    new_worker().quiesce(calls.context())
    del mongod.notes["turn"]
    new_worker().unquiesce(relying(calls))
    assert mongod.lock_count == 0
