"""The worker's pulse: heartbeats, cancels, and the end of all steps when the worker must stop."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from tests.activities.conftest import until
from workflows_app.activities import pulse
from workflows_app.activities.pulse import Patient, Pulse
from workflows_app.plugins.base import Report


class Bed:
    """A step under care, in a thread and an activity of its own, until it is told to leave."""

    def __init__(self, pulse: Pulse, pool: ThreadPoolExecutor) -> None:
        self.heartbeats: list[dict[str, Any]] = []
        self.environment = ActivityEnvironment()
        self.environment.on_heartbeat = self.heartbeats.append
        self._leave = threading.Event()
        admitted: Future[Patient] = Future()
        self._stay = pool.submit(self.environment.run, self._lie, pulse, admitted)
        self.patient = admitted.result(10)

    @activity.defn(no_thread_cancel_exception=True)
    def _lie(self, pulse: Pulse, admitted: "Future[Patient]") -> None:
        patient = pulse.admit()
        admitted.set_result(patient)
        self._leave.wait(30)
        pulse.discharge(patient)

    def leave(self) -> None:
        self._leave.set()
        self._stay.result(10)


class Ward:
    """Steps under the care of one quick pulse."""

    def __init__(self) -> None:
        self.pulse = Pulse()
        self.pulse.start()
        self._pool = ThreadPoolExecutor(4)
        self._beds: list[Bed] = []

    def admit(self) -> Bed:
        self._beds.append(Bed(self.pulse, self._pool))
        return self._beds[-1]

    def close(self) -> None:
        for bed in self._beds:
            bed.leave()
        self.pulse.close()
        self._pool.shutdown()


@pytest.fixture
def ward(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    monkeypatch.setattr(pulse, "LISTEN_SECONDS", 0.01)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.02)
    ward = Ward()
    yield ward
    ward.close()


def test_heartbeats_carry_the_last_report(ward: Ward) -> None:
    bed = ward.admit()
    until(lambda: bed.heartbeats)
    assert bed.heartbeats[0] == {
        "done_bytes": 0, "total_bytes": 0, "done_files": 0, "total_files": 0, "note": "",
    }  # fmt: skip
    bed.patient.report = Report(done_bytes=7, total_bytes=9, done_files=1, total_files=2, note="copying")
    until(lambda: bed.heartbeats[-1]["note"] == "copying")
    assert bed.heartbeats[-1] == {
        "done_bytes": 7, "total_bytes": 9, "done_files": 1, "total_files": 2, "note": "copying",
    }  # fmt: skip


def test_a_step_that_has_ended_has_no_pulse(ward: Ward) -> None:
    ended, other = ward.admit(), ward.admit()
    until(lambda: ended.heartbeats)
    ended.leave()
    count = len(other.heartbeats)
    until(lambda: len(other.heartbeats) > count + 1)
    count = len(ended.heartbeats)
    until(lambda: len(other.heartbeats) > count + 5)
    assert len(ended.heartbeats) == count


def test_a_cancel_reaches_the_stop_functions_of_its_step_only(ward: Ward) -> None:
    bed, other = ward.admit(), ward.admit()
    stopped: list[str] = []
    bed.patient.on_cancel(lambda: stopped.append("first"))
    forget = bed.patient.on_cancel(lambda: stopped.append("taken back"))
    bed.patient.on_cancel(lambda: stopped.append("second"))
    other.patient.on_cancel(lambda: stopped.append("other"))
    forget()
    forget()
    assert not bed.patient.cancelled()
    bed.environment.cancel()
    until(lambda: len(stopped) == 2)
    assert stopped == ["first", "second"]
    assert bed.patient.cancelled()
    assert not other.patient.cancelled()


def test_who_comes_after_the_cancel_is_stopped_at_once(ward: Ward) -> None:
    bed = ward.admit()
    bed.environment.cancel()
    until(bed.patient.cancelled)
    stopped: list[str] = []
    bed.patient.on_cancel(lambda: stopped.append("late"))
    assert stopped == ["late"]


def test_a_cancelled_step_is_kept_alive_until_it_has_ended(ward: Ward) -> None:
    bed = ward.admit()
    bed.environment.cancel()
    until(bed.patient.cancelled)
    count = len(bed.heartbeats)
    until(lambda: len(bed.heartbeats) > count + 1)


def test_halt_ends_all_steps_even_when_one_cannot_be_told(
    ward: Ward, caplog: pytest.LogCaptureFixture
) -> None:
    beds = [ward.admit(), ward.admit(), ward.admit()]
    stopped: list[int] = []

    def broken() -> None:
        raise OSError("this stop is broken")

    for number, bed in enumerate(beds):
        bed.patient.on_cancel(broken)
        bed.patient.on_cancel(lambda number=number: stopped.append(number))
    ward.pulse.halt()
    assert sorted(stopped) == [0, 1, 2]
    assert caplog.text.count("A step could not be told to end") == 3
    assert all(bed.patient.cancelled() for bed in beds)


def test_who_begins_after_halt_is_ended_at_once(ward: Ward) -> None:
    ward.pulse.halt()
    assert ward.admit().patient.cancelled()


def test_a_heartbeat_that_fails_does_not_stop_the_others(
    ward: Ward, caplog: pytest.LogCaptureFixture
) -> None:
    broken, well = ward.admit(), ward.admit()

    def fail(report: dict[str, Any]) -> None:
        raise RuntimeError("no connection")

    broken.environment.on_heartbeat = fail
    until(lambda: "A heartbeat failed" in caplog.text)
    count = len(well.heartbeats)
    until(lambda: len(well.heartbeats) > count + 1)
