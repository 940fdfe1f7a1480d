"""What a watchdog is given, ordered, and answers."""

from pydantic import BaseModel, ConfigDict

from workflows_app.domain.config import Config
from workflows_app.domain.plans.plans import StepSpec


class WatchdogInput(BaseModel):
    """What a watchdog guards: the steps that undo what the run ``run`` froze.

    It acts once ``budget_seconds`` are over. Its own steps are numbered from ``first_step``, in the same
    run. ``workflow_id`` and ``run_id`` are where Temporal has the run, to be told.
    """

    model_config = ConfigDict(frozen=True)

    run: int
    config: Config
    owed: tuple[StepSpec, ...]
    budget_seconds: float
    first_step: int
    workflow_id: str
    run_id: str


class ThawOrder(BaseModel):
    """A person's order to thaw now; ``also`` are further steps to take, the first ones first."""

    model_config = ConfigDict(frozen=True)

    by: str
    also: tuple[StepSpec, ...] = ()


class ThawReport(BaseModel):
    """What a watchdog did, by the steps' keys, and why it did it."""

    model_config = ConfigDict(frozen=True)

    reason: str
    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
