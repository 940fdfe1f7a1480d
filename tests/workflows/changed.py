"""Backup workflows as a careless change would leave them: other commands under the same name."""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.runs import BackupInput
    from workflows_app.domain import naming
    from workflows_app.domain.plans.plans import Plan, Stage
    from workflows_app.domain.results import WorkflowStatusResult

from workflows_app.workflows.engine import StepRunner


@workflow.defn(name=naming.BACKUP_WORKFLOW)
class Swapped:
    """Takes two steps in the other order."""

    @workflow.run
    async def run(self, backup: BackupInput) -> WorkflowStatusResult:
        first, second, third, *rest = backup.plan.stages
        plan = Plan(stages=(first, third, second, *rest))
        return await StepRunner(backup.model_copy(update={"plan": plan})).run()


@workflow.defn(name=naming.BACKUP_WORKFLOW)
class OneByOne:
    """Takes the steps of a stage one after the other."""

    @workflow.run
    async def run(self, backup: BackupInput) -> WorkflowStatusResult:
        plan = Plan(stages=tuple(Stage(steps=(step,)) for step in backup.plan.steps))
        return await StepRunner(backup.model_copy(update={"plan": plan})).run()


@workflow.defn(name=naming.BACKUP_WORKFLOW)
class Shorter:
    """Forgets the last step."""

    @workflow.run
    async def run(self, backup: BackupInput) -> WorkflowStatusResult:
        plan = Plan(stages=backup.plan.stages[:-1])
        return await StepRunner(backup.model_copy(update={"plan": plan})).run()


@workflow.defn(name=naming.BACKUP_WORKFLOW)
class Slower:
    """Waits a moment before it begins."""

    @workflow.run
    async def run(self, backup: BackupInput) -> WorkflowStatusResult:
        await workflow.sleep(timedelta(seconds=1))
        return await StepRunner(backup).run()
