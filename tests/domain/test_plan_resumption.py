"""The rest of a failed run's plan."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import make_config
from workflows_app.domain.errors import PlanRefused
from workflows_app.domain.plans.plan_layouts import OptionChanges, PlanLayout
from workflows_app.domain.plans.plan_resumption import resumed_plan
from workflows_app.domain.plans.plan_rules import archives, backs_up, freezes, mounts, thaws, unmounts
from workflows_app.domain.plans.planned_backups import planned_backup
from workflows_app.domain.plans.plans import OnFailure, Plan, backup_plan, restore_plan

FULL = backup_plan(make_config())
KEYS = [step.key for step in FULL.steps]
MADE = KEYS[: KEYS.index("mount-plugin")]
"""The steps up to the thaw: after them the backup is made and nothing is frozen."""


def rest(plan: Plan, done: Sequence[str], failed: Sequence[str] = ()) -> list[list[str]]:
    return [[step.key for step in stage.steps] for stage in resumed_plan(plan, done, failed).stages]


def refusals(plan: Plan, done: Sequence[str], failed: Sequence[str] = ()) -> dict[str, str]:
    with pytest.raises(PlanRefused) as refused:
        resumed_plan(plan, done, failed)
    return {problem.step: problem.words for problem in refused.value.problems}


def test_after_a_failed_mount_everything_from_the_mount_on_remains():
    expected = [[key] for key in KEYS[KEYS.index("mount-plugin") :]]
    assert rest(FULL, MADE, ["mount-plugin"]) == expected
    assert rest(FULL, [*MADE, "unmount-plugin"], ["mount-plugin"]) == expected, (
        "the unmount was a compensation"
    )


@pytest.mark.parametrize("compensated", [[], ["unmount-plugin"]])
def test_after_a_failed_archive_the_backup_is_mounted_again_and_unmounted(compensated):
    done = [*MADE, "mount-plugin", "archive-create-command", *compensated]
    expected = [["mount-plugin"], *([key] for key in KEYS[KEYS.index("archive-plugin") :])]
    assert rest(FULL, done, ["archive-plugin"]) == expected
    plan = resumed_plan(FULL, done, ["archive-plugin"])
    assert plan.step("mount-plugin").undo == "unmount-plugin"


def test_after_the_archive_nothing_is_mounted_again():
    done = [*KEYS[: KEYS.index("archive-delete-command")], "unmount-plugin"]
    remaining = [key for key in KEYS if key not in done]
    assert rest(FULL, done, ["archive-delete-command"]) == [[key] for key in remaining]


def test_what_is_still_mounted_is_unmounted():
    done = KEYS[: KEYS.index("archive-retention")]
    assert ["unmount-plugin"] in rest(FULL, done, ["archive-retention"])


def test_of_a_stage_only_what_is_not_done_is_taken_again():
    stages = tuple((key,) for key in KEYS[: KEYS.index("backup-delete-command")])
    last = ("backup-delete-command", "backup-retention"), ("job-retention",), ("send-trap-success-command",)
    plan = planned_backup(make_config(), PlanLayout(stages=(*stages, *last), pause_seconds=60))
    done = [*KEYS[: KEYS.index("backup-delete-command")], "backup-retention"]
    assert rest(plan, done) == [["backup-delete-command"], ["job-retention"], ["send-trap-success-command"]]
    resumed = resumed_plan(plan, done, [])
    assert resumed.pause_seconds == 60
    assert resumed.on_error == plan.on_error


def test_what_the_run_went_on_without_is_not_taken_again():
    options = {"pre-quiesce-command": OptionChanges(on_failure=OnFailure.CONTINUE)}
    plan = planned_backup(make_config(), PlanLayout(options=options))
    done = [key for key in KEYS[:-1] if key != "pre-quiesce-command"]
    assert rest(plan, done, ["pre-quiesce-command"]) == [["send-trap-success-command"]]


@pytest.mark.parametrize("missing", ["backup-plugin", "backup-create-command"])
def test_without_a_backup_only_a_new_run_is_safe(missing):
    done = [key for key in KEYS[:-1] if key != missing]
    assert refusals(FULL, done, [missing]) == {
        missing: f"{missing!r} is the backup, and it is not done: start a new run."
    }


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("quiesce-plugin", "would freeze"),
        ("unquiesce-command", "may still be frozen"),
        ("unquiesce-plugin", "may still be frozen"),
        ("post-quiesce-command", "belongs to the time"),
        ("pre-unquiesce-command", "belongs to the time"),
    ],
)
def test_what_freezes_thaws_or_needs_it_frozen_is_not_taken_again(missing, words):
    problems = refusals(FULL, [key for key in KEYS[:-1] if key != missing], [missing])
    assert set(problems) == {missing}
    assert words in problems[missing]


def test_what_runs_before_the_freeze_or_after_the_thaw_is():
    done = [key for key in KEYS[:-1] if key not in ("discover-plugin", "post-unquiesce-command")]
    assert rest(FULL, done) == [
        ["discover-plugin"],
        ["post-unquiesce-command"],
        ["send-trap-success-command"],
    ]


def test_in_a_plan_that_may_back_up_unfrozen_nothing_needs_the_window():
    plan = planned_backup(make_config(), PlanLayout(unfrozen_backup=True))
    assert rest(plan, [key for key in KEYS if key != "post-quiesce-command"]) == [["post-quiesce-command"]]


def test_a_run_that_did_all_its_steps_has_no_rest():
    with pytest.raises(PlanRefused, match="nothing remains"):
        resumed_plan(FULL, KEYS, [])


def test_a_restore_is_started_again_as_a_whole():
    plan = restore_plan(make_config(), dry_run=False, safety=True)
    done = [step.key for step in plan.steps if step.policy]
    assert set(refusals(plan, done, ["restore-plugin"])) == {"restore-plugin"}


def test_a_plan_without_a_backup_has_nothing_to_go_on_from():
    plan = backup_plan(make_config(storagePlugin="", backupCreateCmd=""))
    assert "makes no backup" in "".join(refusals(plan, []).values())


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_the_rest_never_freezes_nor_backs_up_and_mounts_what_it_archives(data: st.DataObject) -> None:
    made = data.draw(st.booleans())
    drawn = data.draw(st.sets(st.sampled_from(KEYS)))
    done = drawn.union(MADE) if made else drawn
    failed = data.draw(st.sets(st.sampled_from(KEYS)))
    plan = FULL.model_copy(update={"unfrozen_backup": data.draw(st.booleans())})
    try:
        resumed = resumed_plan(plan, done, failed)
    except PlanRefused as refused:
        assert not made or done == set(KEYS)
        assert refused.problems
        return
    steps = list(resumed.steps)
    keys = [step.key for step in steps]
    assert not any(freezes(step) or thaws(step) or backs_up(step) for step in steps)
    assert len(keys) == len(set(keys))
    assert set(KEYS) - done <= set(keys)
    assert set(keys) & done <= {"mount-plugin", "unmount-plugin"}
    if any(archives(step) for step in steps):
        assert any(mounts(step) for step in steps)
    if any(mounts(step) for step in steps):
        first_archive = next((i for i, step in enumerate(steps) if archives(step)), len(steps))
        mounting = next(i for i, step in enumerate(steps) if mounts(step))
        unmounting = next(i for i, step in enumerate(steps) if unmounts(step))
        assert mounting < first_archive
        assert unmounting > max([mounting, *(i for i, step in enumerate(steps) if archives(step))])
