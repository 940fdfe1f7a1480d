"""The plan of a backup: Fossul's order, changed as a layout says, and checked."""

from collections.abc import Collection, Iterator

from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.errors import PlanProblem, PlanRefused
from workflows_app.domain.plans.plan_layouts import BACKUP_STEPS, PlanLayout, check_command
from workflows_app.domain.plans.plan_rules import plan_problems
from workflows_app.domain.plans.plans import CUSTOM_PHASE, Plan, Stage, StepSpec, backup_plan


def planned_backup(config: Config, layout: PlanLayout) -> Plan:
    """The plan of a backup of ``config`` as ``layout`` has it.

    Raises PlanRefused with every rule that it breaks (``plan_rules``), and for names: what the layout names
    must be configured or be one of its custom commands, and its stages, if it has any, must name all
    that is configured. Raises ConfigInvalid for a custom command that no layout may have.
    """
    plan, problems = arranged_backup(config, layout)
    if problems:
        raise PlanRefused(problems)
    return plan


def arranged_backup(config: Config, layout: PlanLayout) -> tuple[Plan, tuple[PlanProblem, ...]]:
    """Answer the steps of ``config`` as ``layout`` arranges them, and every rule that is broken by that.

    A plan with problems is there to be looked at: no backup may start with it. Raises ConfigInvalid for a
    custom command that no layout may have.
    """
    for key, line in layout.commands.items():
        check_command(f"Plan.Commands.{key}", key, line)
    usual = backup_plan(config)
    steps = {step.key: step for step in usual.steps} | {
        key: custom_step(key, line) for key, line in layout.commands.items()
    }
    names = layout.stages or tuple((step.key,) for step in usual.steps)
    stages = tuple(
        tuple(_with_options(steps[key], layout) for key in stage if key in steps) for stage in names
    )
    plan = usual.model_copy(
        update={
            "stages": tuple(Stage(steps=stage) for stage in stages if stage),
            "pause_seconds": layout.pause_seconds,
            "stays_frozen": layout.stays_frozen,
            "freeze_budget_seconds": layout.freeze_budget_seconds,
            "unfrozen_backup": layout.unfrozen_backup,
        }
    )
    problems = (*_unknown_names(steps, layout), *_left_out(steps, names), *plan_problems(plan))
    return plan, problems


def custom_step(key: str, line: str) -> StepSpec:
    """The step that runs a command of the plan's own."""
    return StepSpec(
        key=key,
        name=f"{key.replace('-', ' ').capitalize()} command",
        phase=CUSTOM_PHASE,
        activity=naming.COMMAND_RUN,
        line=line,
    )


def _with_options(step: StepSpec, layout: PlanLayout) -> StepSpec:
    changes = layout.options.get(step.key)
    return step.model_copy(update={"options": changes.applied_to(step.options)}) if changes else step


def _unknown_names(steps: Collection[str], layout: PlanLayout) -> Iterator[PlanProblem]:
    named = dict.fromkeys([*(key for stage in layout.stages for key in stage), *layout.options])
    for key in named:
        if key in steps:
            continue
        if key in BACKUP_STEPS:
            settings = " and ".join(_settings(BACKUP_STEPS[key]))
            words = f"{key!r} is not configured: set {settings}, or take the step out of the plan."
        else:
            words = f"{key!r} is neither a step of Fossul's nor a command of the plan: correct its name."
        yield PlanProblem(key, "names known", words)


def _left_out(steps: Collection[str], names: Collection[Collection[str]]) -> Iterator[PlanProblem]:
    named = {key for stage in names for key in stage}
    for key in steps:
        if key in named:
            continue
        if key in BACKUP_STEPS:
            other = f"no longer configure {' or '.join(_settings(BACKUP_STEPS[key]))}"
        else:
            other = "take it out of the plan's commands"
        words = f"{key!r} is in no stage of the plan: name it in Stages, or {other}."
        yield PlanProblem(key, "nothing left out", words)


def _settings(step: StepSpec) -> tuple[str, ...]:
    """The configuration's settings that make a step of Fossul's be there, all of them together."""
    if step.command:
        return (step.command,)
    return {
        naming.APP_DISCOVER: ("AppPlugin", "AutoDiscovery"),
        naming.STORAGE_MOUNT: ("StoragePlugin", "ArchivePlugin"),
        naming.STORAGE_UNMOUNT: ("StoragePlugin", "ArchivePlugin"),
        naming.RECORD_JOB_RETENTION: ("JobRetention",),
    }.get(step.activity) or (f"{step.activity.partition('.')[0].capitalize()}Plugin",)
