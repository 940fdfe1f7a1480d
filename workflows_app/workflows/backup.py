"""The backup workflow."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.runs import BackupInput
    from workflows_app.domain import naming
    from workflows_app.domain.results import WorkflowStatusResult

    # Held to be deterministic by a test; to load it anew for every run is a tenth of a short one's cost.
    from workflows_app.workflows.control import ControlledRun
    from workflows_app.workflows.engine import StepRunner


@workflow.defn(name=naming.BACKUP_WORKFLOW)
class BackupWorkflow(ControlledRun):
    """One backup of one configuration under one policy: its plan, step by step."""

    @workflow.init
    def __init__(self, backup: BackupInput) -> None:
        self._runner = StepRunner(backup)

    @workflow.run
    async def run(self, backup: BackupInput) -> WorkflowStatusResult:
        """Run the plan. Answers Fossul's result JSON; raises as ``StepRunner.run`` does."""
        return await self._runner.run()
