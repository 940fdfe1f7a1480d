"""A scheduled run, from when it is due until it has begun or was skipped."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from workflows_app.contracts.runs import BackupInput
from workflows_app.domain.config import WhenBusy


class ScheduledInput(BaseModel):
    """What a schedule asks for when it is due: a backup of a configuration as it then is, under a policy.

    ``name`` is the schedule's, ``cron`` its expression as it was written. ``when_busy`` is what is done
    while the lock is held, None for what the policy says. A worker that comes more than
    ``catch_up_seconds`` late is too late.
    """

    model_config = ConfigDict(frozen=True)

    profile: str
    config: str
    policy: str
    name: str
    cron: str
    when_busy: WhenBusy | None = None
    catch_up_seconds: float


class ExpectedRun(BaseModel):
    """A run that a schedule expects; ``asked`` is when Temporal began to ask a worker for it."""

    model_config = ConfigDict(frozen=True)

    scheduled: ScheduledInput
    asked: datetime


class PreparedRun(BaseModel):
    """The row of an expected run, and what to start; without ``backup`` nothing, and ``refusal`` says why.

    ``failed`` says whether that is a failure. The other values are as in QueueInput.
    """

    model_config = ConfigDict(frozen=True)

    run: int
    backup: BackupInput | None = None
    queues: bool = False
    workflow_id: str = ""
    memo: dict[str, str | int] = {}
    summary: str = ""
    refusal: str = ""
    failed: bool = False


class BegunRun(BaseModel):
    """An expected run that has begun; ``run_id`` is Temporal's."""

    model_config = ConfigDict(frozen=True)

    run: int
    run_id: str


class SkippedRun(BaseModel):
    """An expected run for which the lock was not free; ``queue_full`` when another one waits already."""

    model_config = ConfigDict(frozen=True)

    run: int
    queue_full: bool
