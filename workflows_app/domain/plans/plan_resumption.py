"""Going on with a failed run from the step that failed: the rest of its plan."""

from collections.abc import Collection, Iterator

from workflows_app.domain import naming
from workflows_app.domain.config import CommandField
from workflows_app.domain.errors import PlanProblem, PlanRefused
from workflows_app.domain.plans.plan_rules import (
    archives,
    backs_up,
    freezes,
    frozen_window,
    mounts,
    thaws,
    unmounts,
)
from workflows_app.domain.plans.plans import OnFailure, Plan, Stage, StepSpec

_RULE = "run again from the failed step"
_ADVICE = "start a new run."


def resumed_plan(plan: Plan, done: Collection[str], failed: Collection[str]) -> Plan:
    """The rest of a failed backup's plan: what is not done yet, from the failed step on.

    ``done`` are the keys of the steps that are complete, in their place or as a compensation, or that a
    person skipped; ``failed`` those that failed. A failed step with OnFailure ``continue`` is not taken
    again: the run had gone on without it. Where an archive step remains, the backup is mounted again in
    a stage of its own; what is mounted is unmounted in its place.

    The rest has neither a freeze nor a thaw nor a backup, and ``plan_problems`` is not made for it. Raises
    PlanRefused where only a new run is safe: the backup is not done, something frozen is not thawed, what
    belongs into the frozen window remains, the run is a restore, or nothing remains.
    """
    passed = {s.key for s in plan.steps if s.options.on_failure is OnFailure.CONTINUE and s.key in failed}
    over = passed.union(done)
    problems = tuple(_obstacles(plan, over))
    if problems:
        raise PlanRefused(problems)
    to_archive = any(archives(step) and step.key not in over for step in plan.steps)
    again = tuple(step for step in plan.steps if to_archive and mounts(step) and step.key in over)
    mounted = again or any(mounts(step) and step.key not in over for step in plan.steps)
    kept = {step.key for step in plan.steps if mounted and unmounts(step)}
    rest = (
        tuple(step for step in stage.steps if step.key not in over or step.key in kept)
        for stage in plan.stages
    )
    stages = tuple(Stage(steps=steps) for steps in (again, *rest) if steps)
    if not stages:
        words = "Every step of the run is done: nothing remains to be run."
        raise PlanRefused([PlanProblem("", _RULE, words)])
    return plan.model_copy(update={"stages": stages})


def _obstacles(plan: Plan, over: Collection[str]) -> Iterator[PlanProblem]:
    """Why the rest of the plan may not be run on its own."""
    if not any(backs_up(step) for step in plan.steps):
        yield PlanProblem("", _RULE, f"The plan makes no backup to go on from: {_ADVICE}")
    window = () if plan.unfrozen_backup else frozen_window(plan)
    for index, stage in enumerate(plan.stages):
        for step in stage.steps:
            if _restores(step):
                why = "writes over live data and is confirmed anew each time: start the restore again."
            elif step.key in over:
                continue
            elif backs_up(step):
                why = f"is the backup, and it is not done: {_ADVICE}"
            elif freezes(step):
                why = f"would freeze the application for a backup that is already made: {_ADVICE}"
            elif thaws(step):
                why = f"is not done, so that the application may still be frozen: thaw it, then {_ADVICE}"
            elif index in window:
                why = f"belongs to the time in which the application is frozen, and that is over: {_ADVICE}"
            else:
                continue
            yield PlanProblem(step.key, _RULE, f"{step.key!r} {why}")


def _restores(step: StepSpec) -> bool:
    return step.activity == naming.STORAGE_RESTORE or step.command == CommandField.RESTORE
