"""What runs are started with and told."""

from pydantic import BaseModel, ConfigDict

from workflows_app.domain.config import Config
from workflows_app.domain.plans.plans import Plan
from workflows_app.domain.runs.restores import RestoreRequest


class RunInput(BaseModel):
    """What every run is started with: what was clicked is what runs.

    ``run`` is the run's number, ``requested_by`` a user's name.
    """

    model_config = ConfigDict(frozen=True)

    run: int
    config: Config
    plan: Plan
    requested_by: str


class BackupInput(RunInput):
    """What a backup is started with; ``resumes`` is the failed run whose rest it takes, 0 for none."""

    resumes: int = 0


class RestoreInput(RunInput):
    """What a restore is started with; ``config.backup`` is what is restored."""

    request: RestoreRequest


class Decision(BaseModel):
    """What a person says while a run waits for one: of which step (its number), and who says it."""

    model_config = ConfigDict(frozen=True)

    step: int
    by: str


class QueueInput(BaseModel):
    """A backup that waits for its configuration's lock; ``memo`` and ``summary`` are what it starts with."""

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    backup: BackupInput
    memo: dict[str, str | int]
    summary: str
