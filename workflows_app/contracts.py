"""What activities are asked and answer. Workflows know them by name only; the worker registers
implementations of these classes (architecture.md §2). Each takes a StepInput and answers a Result.
"""

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.plans import Plan, StepSpec
from workflows_app.domain.results import Result


class BackupInput(BaseModel):
    """What a backup run is started with: what was clicked is what runs.

    ``run`` is the run's number, ``requested_by`` a user's name.
    """

    model_config = ConfigDict(frozen=True)

    run: int
    config: Config
    plan: Plan
    requested_by: str


class StepInput(BaseModel):
    """What one step is given. ``step`` is its number in the run; ``compensates`` when it undoes one."""

    model_config = ConfigDict(frozen=True)

    run: int
    step: int
    spec: StepSpec
    config: Config
    compensates: bool = False


class AppActivities:
    """Steps that an app plugin does."""

    @activity.defn(name=naming.APP_QUIESCE)
    def quiesce(self, step: StepInput) -> Result:
        """Freeze the application."""
        raise NotImplementedError

    @activity.defn(name=naming.APP_UNQUIESCE)
    def unquiesce(self, step: StepInput) -> Result:
        """Thaw the application."""
        raise NotImplementedError


class StorageActivities:
    """Steps that a storage plugin does."""

    @activity.defn(name=naming.STORAGE_BACKUP)
    def backup(self, step: StepInput) -> Result:
        """Make the backup; ``Result.backup`` tells of it."""
        raise NotImplementedError


class CommandActivities:
    """Steps that run a command of the configuration."""

    @activity.defn(name=naming.COMMAND_RUN)
    def run(self, step: StepInput) -> Result:
        """Run the command that ``step.spec.command`` names."""
        raise NotImplementedError
