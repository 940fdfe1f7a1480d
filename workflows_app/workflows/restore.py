"""The restore workflow."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.runs import RestoreInput
    from workflows_app.domain import naming
    from workflows_app.domain.results import WorkflowStatusResult

    # Held to be deterministic by a test; to load it anew for every run is a tenth of a short one's cost.
    from workflows_app.workflows.control import ControlledRun
    from workflows_app.workflows.engine import StepRunner


@workflow.defn(name=naming.RESTORE_WORKFLOW)
class RestoreWorkflow(ControlledRun):
    """One restore of one backup: its plan, step by step."""

    @workflow.init
    def __init__(self, restore: RestoreInput) -> None:
        self._runner = StepRunner(restore, restore.request)

    @workflow.run
    async def run(self, restore: RestoreInput) -> WorkflowStatusResult:
        """Run the plan. Answers Fossul's result JSON; raises as ``StepRunner.run`` does."""
        return await self._runner.run()
