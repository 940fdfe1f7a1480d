"""What one step is given."""

from pydantic import BaseModel, ConfigDict

from workflows_app.domain.config import Config
from workflows_app.domain.plans.plans import StepSpec
from workflows_app.domain.runs.restores import RestoreRequest


class StepInput(BaseModel):
    """What one step is given. ``step`` is its number in the run; ``compensates`` when it undoes one.

    ``relies_on_freeze`` says of one that thaws that what freezes was done, and that the run goes on with what
    was copied since.
    """

    model_config = ConfigDict(frozen=True)

    run: int
    step: int
    spec: StepSpec
    config: Config
    compensates: bool = False
    relies_on_freeze: bool = False
    restore: RestoreRequest = RestoreRequest()
