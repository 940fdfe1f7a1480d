"""The steps that run a command of the configuration or of its plan."""

from temporalio import activity

from workflows_app.activities.execution import StepExecution
from workflows_app.contracts.activities import CommandActivities
from workflows_app.contracts.steps import StepInput
from workflows_app.domain import naming
from workflows_app.domain.config import CommandField
from workflows_app.domain.results import Result
from workflows_app.plugins.command import run_command, run_line


class ConfiguredCommandActivities(CommandActivities):
    """Runs commands on the worker's machine."""

    def __init__(self, execution: StepExecution) -> None:
        self._execution = execution

    @activity.defn(name=naming.COMMAND_RUN, no_thread_cancel_exception=True)
    def run(self, step: StepInput) -> Result:
        """Run the plan's own command, or the one of the configuration that ``step.spec.command`` names."""
        spec = step.spec
        if spec.line:
            return self._execution.do(step, lambda context: run_line(spec.key, spec.line, context))
        return self._execution.do(step, lambda context: run_command(CommandField(spec.command), context))
