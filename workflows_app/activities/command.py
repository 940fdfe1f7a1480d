"""The steps that run a command of the configuration."""

from temporalio import activity

from workflows_app.activities.execution import StepExecution
from workflows_app.contracts import CommandActivities, StepInput
from workflows_app.domain import naming
from workflows_app.domain.config import CommandField
from workflows_app.domain.results import Result
from workflows_app.plugins.command import run_command


class ConfiguredCommandActivities(CommandActivities):
    """Runs commands on the worker's machine."""

    def __init__(self, execution: StepExecution) -> None:
        self._execution = execution

    @activity.defn(name=naming.COMMAND_RUN, no_thread_cancel_exception=True)
    def run(self, step: StepInput) -> Result:
        """Run the command that ``step.spec.command`` names."""
        return self._execution.do(step, lambda context: run_command(CommandField(step.spec.command), context))
