"""What the tests of activities share: a bench on which one step is done as a worker would do it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from tests.factories import make_config, make_run
from workflows_app.activities import pulse
from workflows_app.activities.build import build_activities
from workflows_app.activities.execution import StepExecution
from workflows_app.activities.message_log import MessageLog
from workflows_app.activities.pulse import Pulse
from workflows_app.contracts.steps import StepInput
from workflows_app.domain.config import Config
from workflows_app.domain.plans.plans import StepSpec, backup_plan, restore_plan
from workflows_app.domain.results import Result
from workflows_app.models import RunMessage
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.registry import PluginRegistry


def until(condition: Callable[[], object], seconds: float = 10) -> None:
    """Wait for a condition; fail when it never comes true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.005)


def activity_name(method: Callable[..., Any]) -> str | None:
    """The name under which Temporal knows an activity."""
    return activity._Definition.must_from_callable(method).name


def planned(config: Config, key: str) -> StepSpec:
    """The step ``key`` of a backup or a restore with that configuration."""
    plans = (backup_plan(config), restore_plan(config, dry_run=False))
    return next(step for plan in plans for step in (*plan.steps, *plan.on_error) if step.key == key)


class Bench:
    """One stored run and everything that a worker has to do a step of it."""

    def __init__(self) -> None:
        self.log = MessageLog()
        self.pulse = Pulse()
        self.execution = StepExecution(self.log, self.pulse)
        self.environment = ActivityEnvironment()
        self.heartbeats: list[dict[str, Any]] = []
        self.environment.on_heartbeat = self.heartbeats.append
        self.run = make_run()
        self._pool = ThreadPoolExecutor(4)

    def step(self, key: str = "backup-plugin", **settings: object) -> StepInput:
        """The input of a step of a configuration with every step, changed by ``settings``."""
        config = make_config(**settings)
        return StepInput(run=self.run.pk, step=0, spec=planned(config, key), config=config)

    def do(self, key: str = "backup-plugin", **settings: object) -> Result:
        """Do a step through the activity that a worker would call for it."""
        return self.environment.run(self.activity(key), self.step(key, **settings))

    def begin(self, key: str = "backup-plugin", **settings: object) -> "Future[Result]":
        """As ``do``, in a thread of its own."""
        return self._pool.submit(self.do, key, **settings)

    def call(self, work: Callable[[PluginContext], Result], attempt: int = 1) -> Result:
        """Do a step whose plugin is ``work``."""
        self.environment.info = replace(self.environment.info, attempt=attempt)

        @activity.defn(no_thread_cancel_exception=True)
        def plugin(step: StepInput) -> Result:
            return self.execution.do(step, work)

        return self.environment.run(plugin, self.step())

    def activity(self, key: str) -> Callable[..., Any]:
        """The activity that does the step ``key``."""
        wanted = planned(make_config(restoreCmd="x", preAppRestoreCmd="x", postAppRestoreCmd="x"), key)
        return next(
            method
            for method in build_activities(PluginRegistry(), self.execution)
            if activity_name(method) == wanted.activity
        )

    def stored(self, step: int = 0, attempt: int = 1) -> list[RunMessage]:
        """What is in the database of a step once the log has been closed."""
        assert self.log.close()
        return list(RunMessage.objects.filter(run=self.run, step=step, attempt=attempt).order_by("seq"))

    def close(self) -> None:
        self._pool.shutdown()
        self.pulse.close()
        self.log.close(1)


@pytest.fixture
def bench(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(pulse, "LISTEN_SECONDS", 0.02)
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.04)
    bench = Bench()
    bench.log.start()
    bench.pulse.start()
    yield bench
    bench.close()
