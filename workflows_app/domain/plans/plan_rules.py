"""The rules that every plan keeps: they are checked before it is saved and before a run starts."""

from collections import Counter
from collections.abc import Callable, Iterator

from workflows_app.domain import naming
from workflows_app.domain.config import CommandField
from workflows_app.domain.errors import PlanProblem
from workflows_app.domain.plans.plans import OnFailure, Plan, StepSpec

Rule = Callable[[Plan], Iterator[PlanProblem]]
Kind = Callable[[StepSpec], bool]


def plan_problems(plan: Plan) -> tuple[PlanProblem, ...]:
    """Answer every rule that ``plan`` breaks, in words for the person who edits it; empty when it is safe.

    Order means stages: steps of one stage run at the same time, so that none of them comes before another.
    Pre and post commands are conventions of Fossul, not rules: they may stand anywhere.
    """
    return tuple(problem for rule in _RULES for problem in rule(plan))


def backs_up(step: StepSpec) -> bool:
    """Whether the step makes the backup."""
    return step.activity == naming.STORAGE_BACKUP or step.command == CommandField.BACKUP_CREATE


def freezes(step: StepSpec) -> bool:
    """Whether the application stands still once the step has started."""
    return step.freezes


def thaws(step: StepSpec) -> bool:
    """Whether the step thaws the application; an unquiesce command may, even where no quiesce command is."""
    return step.activity == naming.APP_UNQUIESCE or step.command == CommandField.UNQUIESCE


def mounts(step: StepSpec) -> bool:
    """Whether the step makes the backup readable for the archive."""
    return step.activity == naming.STORAGE_MOUNT


def unmounts(step: StepSpec) -> bool:
    """Whether the step ends what a mount step began."""
    return step.activity == naming.STORAGE_UNMOUNT


def archives(step: StepSpec) -> bool:
    """Whether the step copies the backup to second storage."""
    return step.activity == naming.ARCHIVE_ARCHIVE or step.command == CommandField.ARCHIVE_CREATE


def _discovers(step: StepSpec) -> bool:
    return step.activity == naming.APP_DISCOVER


def _deletes_backups(step: StepSpec) -> bool:
    return step.activity == naming.STORAGE_RETENTION or step.command == CommandField.BACKUP_DELETE


def _deletes_archives(step: StepSpec) -> bool:
    return step.activity == naming.ARCHIVE_RETENTION or step.command == CommandField.ARCHIVE_DELETE


def frozen_window(plan: Plan) -> range:
    """Answer the stages, by index, in which the application stands still.

    They begin with the first freeze; the stage of the last thaw is not among them. Empty for a plan that
    does not freeze, or that freezes and never thaws.
    """
    frozen = [stage for stage, step in _placed(plan) if freezes(step)]
    thawed = [stage for stage, step in _placed(plan) if thaws(step)]
    return range(min(frozen), max(thawed)) if frozen and thawed else range(0)


def _placed(plan: Plan) -> list[tuple[int, StepSpec]]:
    """Every step with the index of its stage, in order."""
    return [(index, step) for index, stage in enumerate(plan.stages) for step in stage.steps]


def _nothing_twice(plan: Plan) -> Iterator[PlanProblem]:
    for key, count in Counter(step.key for step in plan.steps).items():
        if count > 1:
            yield PlanProblem(
                key, "nothing twice", f"{key!r} is in the plan {count} times: leave it in one stage only."
            )


def _undone_later(plan: Plan) -> Iterator[PlanProblem]:
    """In a run that goes well an undo runs in its place, which must be a later one."""
    rule = "undone later"
    stages = {step.key: stage for stage, step in _placed(plan)}
    for stage, step in _placed(plan):
        if step.undo and step.undo not in stages:
            words = (
                f"{step.key!r} is undone by {step.undo!r}, which is not in the plan: put it in a later stage."
            )
            yield PlanProblem(step.key, rule, words)
        elif step.undo and stages[step.undo] <= stage:
            words = f"{step.undo!r} undoes {step.key!r} and must come after it: put it in a later stage."
            yield PlanProblem(step.undo, rule, words)
        elif step.freezes and not step.undo:
            yield PlanProblem(
                step.key,
                rule,
                f"{step.key!r} freezes the application and nothing thaws it: set AppUnquiesceCmd in the "
                "configuration, to 'true' if there is nothing to thaw.",
            )


def _undo_of_something(plan: Plan) -> Iterator[PlanProblem]:
    """An unquiesce command may stand alone, as in Fossul's configurations; what a plugin undoes it began."""
    owed = {step.undo for step in plan.steps}
    for step in plan.steps:
        if step.activity in (naming.APP_UNQUIESCE, naming.STORAGE_UNMOUNT) and step.key not in owed:
            words = f"{step.key!r} undoes nothing in this plan: add the step that it undoes, or leave it out."
            yield PlanProblem(step.key, "undo of something", words)


def _backup_in_the_window(plan: Plan) -> Iterator[PlanProblem]:
    rule = "backup while frozen"
    advice = "or set UnfrozenBackup = true if a backup of the running application is meant."
    frozen = [(stage, step) for stage, step in _placed(plan) if freezes(step)]
    if plan.unfrozen_backup or not frozen:
        return
    for stage, step in _placed(plan):
        if not backs_up(step):
            continue
        for other, freeze in frozen:
            if stage < other:
                words = f"{step.key!r} comes before {freeze.key!r} freezes the application: put it later, "
                yield PlanProblem(step.key, rule, words + advice)
        for other, thaw in _placed(plan):
            if thaws(thaw) and stage > other:
                words = f"{step.key!r} comes after {thaw.key!r} has thawed the application: put it earlier, "
                yield PlanProblem(step.key, rule, words + advice)


def _backup_not_beside_a_change(plan: Plan) -> Iterator[PlanProblem]:
    """A backup at the same time as a freeze or a thaw is of neither state, whatever the plan allows."""
    for stage in plan.stages:
        changes = [step for step in stage.steps if freezes(step) or thaws(step)]
        for step in stage.steps:
            for change in changes if backs_up(step) else ():
                verb = "is being frozen" if freezes(change) else "is being thawed"
                yield PlanProblem(
                    step.key,
                    "backup apart from freeze and thaw",
                    f"{step.key!r} runs at the same time as {change.key!r}, while the application {verb}: "
                    "give it a stage of its own.",
                )


def _ordered(rule: str, first: Kind, then: Kind, why: str) -> Rule:
    """The rule that every step of kind ``then`` comes in a later stage than all of kind ``first``."""

    def check(plan: Plan) -> Iterator[PlanProblem]:
        placed = _placed(plan)
        for stage, step in placed:
            for other, before in placed if then(step) else ():
                if first(before) and other >= stage:
                    words = f"{step.key!r} must come after {before.key!r}, {why}: put it in a later stage."
                    yield PlanProblem(step.key, rule, words)

    return check


_NEW_BACKUP = "so that nothing is deleted before the new backup exists"
_NEW_COPY = "so that nothing is deleted before the new copy exists"
_ORDERS = (
    _ordered("discovery first", _discovers, backs_up, "which finds what is to be backed up"),
    _ordered("mount after the backup", backs_up, mounts, "which makes what is mounted"),
    _ordered("archive after the backup", backs_up, archives, "which makes what is archived"),
    _ordered("archive while mounted", mounts, archives, "which makes the backup readable"),
    _ordered("archive while mounted", archives, unmounts, "which reads what is mounted"),
    _ordered("backup before retention", backs_up, _deletes_archives, _NEW_BACKUP),
    _ordered("backup before retention", backs_up, _deletes_backups, _NEW_BACKUP),
    _ordered("archive before retention", archives, _deletes_archives, _NEW_COPY),
    _ordered("archive before retention", archives, _deletes_backups, _NEW_COPY),
)


def _success_at_the_end(plan: Plan) -> Iterator[PlanProblem]:
    for index, stage in enumerate(plan.stages):
        for step in stage.steps:
            if step.command != CommandField.SUCCESS_NOTICE:
                continue
            if index + 1 < len(plan.stages) or len(stage.steps) > 1:
                yield PlanProblem(
                    step.key,
                    "success last",
                    f"{step.key!r} tells of a success that the steps beside or after it could still spoil: "
                    "put it alone in the last stage.",
                )


def _no_going_on(plan: Plan) -> Iterator[PlanProblem]:
    whys = (
        (freezes, "the backup after a failed freeze would be called good"),
        (thaws, "the run would be called good with the application still frozen"),
        (mounts, "the archive of what was never mounted would be called good"),
        (unmounts, "the run would be called good with the backup still mounted"),
        (backs_up, "the run would be called good without a backup"),
        (_discovers, "the backup of something else than was to be found would be called good"),
    )
    for step in plan.steps:
        for kind, why in whys:
            if kind(step) and step.options.on_failure is OnFailure.CONTINUE:
                words = f"{step.key!r} may not have OnFailure 'continue', since {why}: use 'fail'"
                words += "." if thaws(step) or unmounts(step) else " or 'pause'."
                yield PlanProblem(step.key, "no going on", words)


def _no_waiting_with_an_undo(plan: Plan) -> Iterator[PlanProblem]:
    for step in plan.steps:
        if not (thaws(step) or unmounts(step)):
            continue
        state = "the application would stand still" if thaws(step) else "the backup would stay mounted"
        if step.options.on_failure is OnFailure.PAUSE:
            words = f"{step.key!r} may not have OnFailure 'pause', since {state} meanwhile: use 'fail'."
            yield PlanProblem(step.key, "undo without delay", words)
        if step.options.may_skip:
            words = f"{step.key!r} may not be skipped, since {state}: leave MaySkip out."
            yield PlanProblem(step.key, "undo without delay", words)


def _no_skipping(plan: Plan) -> Iterator[PlanProblem]:
    for step in plan.steps:
        if not step.options.may_skip:
            continue
        if backs_up(step):
            why = "the run would be called good without a backup: leave MaySkip out."
        elif freezes(step) and not plan.unfrozen_backup:
            why = (
                "the backup would be of a running application: leave MaySkip out, or set UnfrozenBackup = "
                "true if that is meant."
            )
        elif mounts(step):
            why = "the archive of what was never mounted would be called good: leave MaySkip out."
        elif _discovers(step):
            why = "something else than was to be found would be backed up: leave MaySkip out."
        else:
            continue
        yield PlanProblem(step.key, "no skipping", f"{step.key!r} may not be skipped, since {why}")


def _tries(plan: Plan) -> Iterator[PlanProblem]:
    """A thaw is tried until it is done (ADR 0003). What keeps the application frozen may not be."""
    window = frozen_window(plan)
    for stage, step in _placed(plan):
        endless = step.options.attempts == 0
        if thaws(step) and not endless:
            words = (
                f"{step.key!r} is tried until it is done, so that nothing stays frozen: leave Attempts out."
            )
            yield PlanProblem(step.key, "thaw until done", words)
        elif endless and not thaws(step) and not unmounts(step) and stage in window:
            yield PlanProblem(
                step.key,
                "an end to what is tried while frozen",
                f"{step.key!r} is tried without end while the application is frozen: set Attempts to 1 or "
                "more.",
            )


def _heartbeat_within_the_timeout(plan: Plan) -> Iterator[PlanProblem]:
    for step in plan.steps:
        if step.options.heartbeat_seconds > step.options.timeout_seconds:
            words = f"{step.key!r} has a Heartbeat longer than its Timeout: make it shorter."
            yield PlanProblem(step.key, "heartbeat within the timeout", words)


_RULES: tuple[Rule, ...] = (
    _nothing_twice,
    _undone_later,
    _undo_of_something,
    _backup_in_the_window,
    _backup_not_beside_a_change,
    *_ORDERS,
    _success_at_the_end,
    _no_going_on,
    _no_waiting_with_an_undo,
    _no_skipping,
    _tries,
    _heartbeat_within_the_timeout,
)
