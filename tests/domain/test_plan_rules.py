"""The rules of plans: each by a plan that keeps and one that breaks it, and all of them against a model."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import EVERY_STEP, make_config
from workflows_app.domain import naming
from workflows_app.domain.plans.plan_rules import frozen_window, plan_problems
from workflows_app.domain.plans.plans import (
    OnFailure,
    Plan,
    Stage,
    StepSpec,
    backup_plan,
    restore_plan,
)

FULL = backup_plan(make_config())
STEPS = {step.key: step for step in FULL.steps} | {
    "inventory": StepSpec(
        key="inventory", name="Inventory command", phase="", activity=naming.COMMAND_RUN, line="ls"
    )
}


def plan(*stages: str, **changes: object) -> Plan:
    """A plan of the stages' steps, each stage written as its keys with spaces between."""
    made = tuple(Stage(steps=tuple(STEPS[key] for key in stage.split())) for stage in stages)
    return Plan(stages=made).model_copy(update=changes)


def changed(base: Plan, key: str, **options: object) -> Plan:
    """The same plan with other options of one step."""
    stages = tuple(
        Stage(
            steps=tuple(
                step.model_copy(update={"options": step.options.model_copy(update=options)})
                if step.key == key
                else step
                for step in stage.steps
            )
        )
        for stage in base.stages
    )
    return base.model_copy(update={"stages": stages})


def broken(given: Plan) -> set[tuple[str, str]]:
    return {(problem.step, problem.rule) for problem in plan_problems(given)}


@pytest.mark.parametrize("left_out", [None, *(key for key in EVERY_STEP if key != "appUnquiesceCmd")])
def test_fossuls_order_keeps_every_rule_whatever_is_configured(left_out):
    changes = {left_out: type(EVERY_STEP[left_out])()} if left_out else {}
    assert plan_problems(backup_plan(make_config(**changes))) == ()


def test_a_restore_with_a_backup_before_it_keeps_every_rule():
    assert plan_problems(restore_plan(make_config(), dry_run=False, safety=True)) == ()


WINDOW = ("quiesce-plugin", "backup-plugin", "unquiesce-plugin")
ARCHIVE = ("backup-plugin", "mount-plugin", "archive-plugin", "unmount-plugin")

ACCEPTED = {
    "nothing": (),
    "a plan that does not freeze": ("backup-plugin", "backup-retention"),
    "freezes and thaws side by side": (
        "quiesce-plugin quiesce-command",
        "backup-plugin backup-create-command inventory",
        "unquiesce-plugin unquiesce-command",
    ),
    "other steps beside a freeze and a thaw": (
        "quiesce-plugin inventory",
        "backup-plugin",
        "unquiesce-plugin job-retention",
    ),
    "pre and post commands anywhere": (
        "post-quiesce-command pre-unquiesce-command",
        *WINDOW,
        "pre-quiesce-command post-unquiesce-command",
    ),
    "an unquiesce command alone": ("backup-plugin", "unquiesce-command"),
    "retention beside the unmount": (*ARCHIVE[:3], "unmount-plugin archive-retention backup-retention"),
    "discovery while frozen": ("quiesce-plugin", "discover-plugin", "backup-plugin", "unquiesce-plugin"),
    "archive without a mount": ("backup-plugin", "archive-create-command", "archive-delete-command"),
    "the notice alone at the end": (*WINDOW, "job-retention", "send-trap-success-command"),
}


@pytest.mark.parametrize("stages", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_safe_is_accepted(stages):
    assert plan_problems(plan(*stages)) == ()


REFUSED = {
    "twice": ((*WINDOW, "inventory", "inventory"), "inventory", "nothing twice"),
    "twice in a stage": ((*WINDOW, "inventory inventory"), "inventory", "nothing twice"),
    "never thawed": (WINDOW[:2], "quiesce-plugin", "undone later"),
    "thawed at once": (("quiesce-plugin unquiesce-plugin",), "unquiesce-plugin", "undone later"),
    "thawed before": (("unquiesce-plugin", "quiesce-plugin"), "unquiesce-plugin", "undone later"),
    "never unmounted": (ARCHIVE[:3], "mount-plugin", "undone later"),
    "unmounted before": (("unmount-plugin", "mount-plugin"), "unmount-plugin", "undone later"),
    "thaw of nothing": (("unquiesce-plugin",), "unquiesce-plugin", "undo of something"),
    "unmount of nothing": (("unmount-plugin",), "unmount-plugin", "undo of something"),
    "backup too early": (
        ("backup-plugin", "quiesce-plugin", "unquiesce-plugin"),
        "backup-plugin",
        "backup while frozen",
    ),
    "backup too late": (
        ("quiesce-plugin", "unquiesce-plugin", "backup-create-command"),
        "backup-create-command",
        "backup while frozen",
    ),
    "backup before one of two freezes": (
        ("quiesce-plugin", "backup-plugin", "quiesce-command", "unquiesce-plugin", "unquiesce-command"),
        "backup-plugin",
        "backup while frozen",
    ),
    "backup after a lone unquiesce command": (
        ("quiesce-plugin", "unquiesce-command", "backup-plugin", "unquiesce-plugin"),
        "backup-plugin",
        "backup while frozen",
    ),
    "backup beside a freeze": (
        ("quiesce-plugin backup-plugin", "unquiesce-plugin"),
        "backup-plugin",
        "backup apart from freeze and thaw",
    ),
    "backup beside a thaw": (
        ("quiesce-plugin", "unquiesce-plugin backup-plugin"),
        "backup-plugin",
        "backup apart from freeze and thaw",
    ),
    "discovery too late": (("backup-plugin", "discover-plugin"), "backup-plugin", "discovery first"),
    "discovery beside": (("backup-plugin discover-plugin",), "backup-plugin", "discovery first"),
    "mount too early": (
        ("mount-plugin", "backup-plugin", "archive-plugin", "unmount-plugin"),
        "mount-plugin",
        "mount after the backup",
    ),
    "archive too early": (
        ("archive-create-command", "backup-plugin"),
        "archive-create-command",
        "archive after the backup",
    ),
    "archive before the mount": (
        ("backup-plugin", "archive-plugin", "mount-plugin", "unmount-plugin"),
        "archive-plugin",
        "archive while mounted",
    ),
    "archive after the unmount": (
        ("backup-plugin", "mount-plugin", "unmount-plugin", "archive-plugin"),
        "unmount-plugin",
        "archive while mounted",
    ),
    "retention too early": (
        ("backup-retention", "backup-plugin"),
        "backup-retention",
        "backup before retention",
    ),
    "retention command beside": (
        ("backup-plugin backup-delete-command",),
        "backup-delete-command",
        "backup before retention",
    ),
    "archive retention before the backup": (
        ("archive-delete-command", "backup-plugin"),
        "archive-delete-command",
        "backup before retention",
    ),
    "archive retention before the archive": (
        ("backup-plugin", "archive-retention", "archive-create-command"),
        "archive-retention",
        "archive before retention",
    ),
    "retention before the archive": (
        ("backup-plugin", "backup-retention", "archive-create-command"),
        "backup-retention",
        "archive before retention",
    ),
    "a notice that is not the last": (
        ("send-trap-success-command", "inventory"),
        "send-trap-success-command",
        "success last",
    ),
    "a notice that is not alone": (
        ("send-trap-success-command inventory",),
        "send-trap-success-command",
        "success last",
    ),
}


@pytest.mark.parametrize(("stages", "step", "rule"), REFUSED.values(), ids=REFUSED)
def test_what_breaks_a_rule_is_refused_with_the_step_and_what_to_do(stages, step, rule):
    problems = plan_problems(plan(*stages))
    assert {(problem.step, problem.rule) for problem in problems} == {(step, rule)}
    assert all(repr(step) in problem.words and ":" in problem.words for problem in problems)


def test_a_quiesce_command_without_an_unquiesce_command_is_refused_with_the_setting():
    (problem,) = plan_problems(backup_plan(make_config(appUnquiesceCmd="")))
    assert problem.step == "quiesce-command"
    assert "AppUnquiesceCmd" in problem.words


@pytest.mark.parametrize(
    "stages",
    [
        ("backup-plugin", "quiesce-plugin", "unquiesce-plugin"),
        ("quiesce-plugin", "unquiesce-plugin", "backup-plugin"),
    ],
)
def test_a_backup_outside_the_window_can_be_said_to_be_meant(stages):
    assert plan_problems(plan(*stages, unfrozen_backup=True)) == ()


def test_a_backup_beside_a_freeze_is_never_meant():
    beside = plan("quiesce-plugin backup-plugin", "unquiesce-plugin", unfrozen_backup=True)
    assert broken(beside) == {("backup-plugin", "backup apart from freeze and thaw")}


CORE = {
    "discover-plugin", "quiesce-command", "quiesce-plugin", "backup-create-command", "backup-plugin",
    "unquiesce-command", "unquiesce-plugin", "mount-plugin", "unmount-plugin",
}  # fmt: skip
UNDOES = {"unquiesce-command", "unquiesce-plugin", "unmount-plugin"}


@pytest.mark.parametrize("key", [step.key for step in FULL.steps])
def test_which_steps_a_run_may_go_on_without(key):
    found = broken(changed(FULL, key, on_failure=OnFailure.CONTINUE))
    assert found == ({(key, "no going on")} if key in CORE else set())


@pytest.mark.parametrize("key", [step.key for step in FULL.steps])
def test_which_steps_a_person_may_skip(key):
    rule = "undo without delay" if key in UNDOES else "no skipping"
    assert broken(changed(FULL, key, may_skip=True)) == ({(key, rule)} if key in CORE else set())


@pytest.mark.parametrize("key", ["quiesce-command", "quiesce-plugin"])
def test_a_freeze_may_be_skipped_where_a_backup_of_a_running_application_is_meant(key):
    meant = FULL.model_copy(update={"unfrozen_backup": True})
    assert plan_problems(changed(meant, key, may_skip=True)) == ()


@pytest.mark.parametrize("key", [step.key for step in FULL.steps])
def test_which_steps_may_wait_for_a_person(key):
    found = broken(changed(FULL, key, on_failure=OnFailure.PAUSE))
    assert found == ({(key, "undo without delay")} if key in UNDOES else set())


FROZEN = {
    "quiesce-command", "quiesce-plugin", "post-quiesce-command", "backup-create-command", "backup-plugin",
    "pre-unquiesce-command",
}  # fmt: skip


@pytest.mark.parametrize("key", [step.key for step in FULL.steps])
def test_nothing_but_an_undo_is_tried_without_end_while_frozen(key):
    found = broken(changed(FULL, key, attempts=0))
    assert found == ({(key, "an end to what is tried while frozen")} if key in FROZEN else set())


@pytest.mark.parametrize("key", [step.key for step in FULL.steps])
def test_everything_but_a_thaw_may_be_tried_a_few_times(key):
    found = broken(changed(FULL, key, attempts=3))
    assert found == ({(key, "thaw until done")} if "unquiesce" in key and key in UNDOES else set())


def test_a_heartbeat_is_no_longer_than_the_timeout():
    found = broken(changed(FULL, "backup-plugin", timeout_seconds=5.0, heartbeat_seconds=6.0))
    assert found == {("backup-plugin", "heartbeat within the timeout")}


def test_the_frozen_window_is_what_lies_between_freeze_and_thaw():
    assert frozen_window(plan("inventory", *WINDOW, "job-retention")) == range(1, 3)
    assert not frozen_window(plan("backup-plugin"))
    assert not frozen_window(plan("quiesce-plugin"))
    assert not frozen_window(plan("unquiesce-plugin", "quiesce-plugin"))


# A model of its own: what a careful person would see who watches a run stage by stage.
FREEZES = {"quiesce-command": "unquiesce-command", "quiesce-plugin": "unquiesce-plugin"}
BACKUPS = {"backup-create-command", "backup-plugin"}
ARCHIVES = {"archive-create-command", "archive-plugin"}
DELETES = {"archive-delete-command", "archive-retention", "backup-delete-command", "backup-retention"}
NOTICE = "send-trap-success-command"


def safe(stages: Iterable[frozenset[str]], unfrozen: bool) -> bool:
    """Whether nothing bad happens when the stages run one after another, by simulation."""
    stages = list(stages)
    everything = frozenset().union(*stages)
    freezing = FREEZES.keys() & everything
    frozen: set[str] = set()
    seen: set[str] = set()
    mounted = False
    for stage in stages:
        freeze, thaw = FREEZES.keys() & stage, set(FREEZES.values()) & stage
        if BACKUPS & stage:
            if freeze or thaw or ("discover-plugin" in everything and "discover-plugin" not in seen):
                return False
            if freezing and not unfrozen and (frozen != freezing or seen & set(FREEZES.values())):
                return False
        if any(undone in thaw and key not in frozen for key, undone in FREEZES.items() if key in everything):
            return False
        if "mount-plugin" in stage and not (BACKUPS & everything) <= seen:
            return False
        if ARCHIVES & stage:
            if not (BACKUPS & everything) <= seen or "unmount-plugin" in stage:
                return False
            if "mount-plugin" in everything and not mounted:
                return False
        if DELETES & stage and not ((BACKUPS | ARCHIVES) & everything) <= seen:
            return False
        if "unmount-plugin" in stage and not mounted:
            return False
        if NOTICE in stage and (stage != {NOTICE} or stage is not stages[-1]):
            return False
        mounted = (mounted or "mount-plugin" in stage) and "unmount-plugin" not in stage
        frozen = {key for key in frozen | freeze if FREEZES[key] not in stage}
        seen |= stage
    return not frozen and not mounted


CONFIGS = (
    {},
    {"archivePlugin": "", "archiveCreateCmd": "", "archiveDeleteCmd": ""},
    {"appQuiesceCmd": "", "preAppQuiesceCmd": "", "postAppQuiesceCmd": "", "autoDiscovery": False},
    {key: "" for key in EVERY_STEP if key.endswith("Cmd")} | {"jobRetention": 0},
    {key: "" for key in EVERY_STEP if key.endswith("Cmd")} | {"appPlugin": ""},
    {key: "" for key in EVERY_STEP if key.endswith("Cmd")} | {"archivePlugin": "", "jobRetention": 0},
)
PLANS = tuple(backup_plan(make_config(**changes)) for changes in CONFIGS)


@st.composite
def rearranged(draw: st.DrawFn) -> Plan:
    """A real plan's steps in another order: anything at all, or Fossul's with a few steps moved or joined."""
    base = draw(st.sampled_from(PLANS))
    steps = list(base.steps)
    if draw(st.booleans()):
        steps = draw(st.permutations(steps))
    else:
        for _ in range(draw(st.integers(0, 2))):
            step = steps.pop(draw(st.integers(0, len(steps) - 1)))
            steps.insert(draw(st.integers(0, len(steps))), step)
    joined = draw(st.sets(st.integers(1, len(steps) - 1), max_size=draw(st.sampled_from([0, 2, len(steps)]))))
    stages: list[list[StepSpec]] = []
    for place, step in enumerate(steps):
        if place in joined:
            stages[-1].append(step)
        else:
            stages.append([step])
    unfrozen = draw(st.booleans())
    made = tuple(Stage(steps=tuple(stage)) for stage in stages)
    return base.model_copy(update={"stages": made, "unfrozen_backup": unfrozen})


@settings(max_examples=1500, deadline=None)
@given(rearranged())
def test_what_is_accepted_is_safe_and_what_is_refused_is_not(made: Plan) -> None:
    problems = plan_problems(made)
    stages = [frozenset(step.key for step in stage.steps) for stage in made.stages]
    assert (not problems) == safe(stages, made.unfrozen_backup)
    keys = {step.key for step in made.steps}
    assert all(problem.step in keys and repr(problem.step) in problem.words for problem in problems)
