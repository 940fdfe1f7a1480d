"""The worker's pulse: one thread that sends the heartbeat of every running step and hears its cancel."""

import contextvars
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict

from temporalio import activity

from workflows_app.plugins.base import Report

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
LISTEN_SECONDS = 0.1


class Patient:
    """A step that is being worked on: its last report, and whom to call when it is cancelled."""

    def __init__(self) -> None:
        self._context = contextvars.copy_context()
        self._stops: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._cancelled = False
        self.report = Report()

    def cancelled(self) -> bool:
        """Whether the step should end."""
        return self._cancelled

    def on_cancel(self, stop: Callable[[], None]) -> Callable[[], None]:
        """Call ``stop`` once the step should end (now, if it already should); answers its undoing."""
        with self._lock:
            self._stops.append(stop)
            cancelled = self._cancelled
        if cancelled:
            stop()

        def forget() -> None:
            with self._lock:
                if stop in self._stops:
                    self._stops.remove(stop)

        return forget

    def listen(self) -> None:
        """Hear whether the step was cancelled."""
        if not self._cancelled and self._context.run(activity.is_cancelled):
            self.end()

    def end(self) -> None:
        """Ask the step to end."""
        with self._lock:
            self._cancelled = True
            stops = list(self._stops)
        for stop in stops:
            try:
                stop()
            except Exception:  # one that fails must not keep the others from being called
                logger.exception("A step could not be told to end")

    def beat(self) -> None:
        """Tell Temporal that the step lives, and how far it is."""
        self._context.run(activity.heartbeat, asdict(self.report))


class Pulse:
    """Beats for all patients, about once a second."""

    def __init__(self) -> None:
        self._patients: set[Patient] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._halted = False
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    @property
    def beats(self) -> bool:
        """Whether a step runs."""
        return bool(self._patients)

    def admit(self) -> Patient:
        """Take the step that this thread works on under care."""
        patient = Patient()
        with self._changed:
            self._patients.add(patient)
            self._changed.notify()
            halted = self._halted
        if halted:
            patient.end()
        return patient

    def discharge(self, patient: Patient) -> None:
        """The step has ended."""
        with self._changed:
            self._patients.discard(patient)

    def halt(self) -> None:
        """Ask all steps to end, those that begin from now on, too: the worker must stop."""
        with self._changed:
            self._halted = True
            patients = list(self._patients)
        for patient in patients:
            patient.end()

    def _run(self) -> None:
        beats = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._patients or self._closing)
                if self._closing:
                    return
                self._changed.wait_for(lambda: self._closing, LISTEN_SECONDS)
                patients = list(self._patients)
            beats += 1
            for patient in patients:
                try:
                    patient.listen()
                    if beats % round(BEAT_SECONDS / LISTEN_SECONDS) == 0:
                        patient.beat()
                except Exception:
                    logger.exception("A heartbeat failed")
