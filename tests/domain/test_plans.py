"""Plans: which steps a backup takes."""

import pytest

from tests.factories import EVERY_STEP, make_config
from workflows_app.domain.config import SAFETY_POLICY, Config
from workflows_app.domain.errors import PlanRefused
from workflows_app.domain.plans.plans import Plan, backup_plan, restore_plan


def keys(config: Config) -> list[str]:
    return [step.key for step in backup_plan(config).steps]


def test_a_full_backup_follows_fossuls_order_with_retention_after_the_archive():
    assert keys(make_config()) == [
        "discover-plugin",
        "pre-quiesce-command",
        "quiesce-command",
        "quiesce-plugin",
        "post-quiesce-command",
        "backup-create-command",
        "backup-plugin",
        "pre-unquiesce-command",
        "unquiesce-command",
        "unquiesce-plugin",
        "post-unquiesce-command",
        "mount-plugin",
        "archive-create-command",
        "archive-plugin",
        "archive-delete-command",
        "archive-retention",
        "unmount-plugin",
        "backup-delete-command",
        "backup-retention",
        "job-retention",
        "send-trap-success-command",
    ]


@pytest.mark.parametrize("left_out", EVERY_STEP)
def test_what_is_not_configured_is_not_in_the_plan(left_out):
    full, without = keys(make_config()), keys(make_config(**{left_out: type(EVERY_STEP[left_out])()}))
    gone = [key for key in full if key not in without]
    families = {
        "appPlugin": ["discover-plugin", "quiesce-plugin", "unquiesce-plugin"],
        "storagePlugin": ["backup-plugin", "mount-plugin", "unmount-plugin", "backup-retention"],
        "archivePlugin": ["mount-plugin", "archive-plugin", "archive-retention", "unmount-plugin"],
        "sendTrapErrorCmd": [],
    }
    assert gone == families.get(left_out, gone[:1])
    assert gone or left_out == "sendTrapErrorCmd"
    assert without == [key for key in full if key in without]


def test_post_unquiesce_runs_without_a_pre_command():
    """Fossul's port guarded it by the pre command's setting (fossul-behaviour.md §3, bug 1)."""
    assert "post-unquiesce-command" in keys(make_config(preAppUnquiesceCmd=""))


def test_what_freezes_names_what_thaws():
    plan = backup_plan(make_config())
    freezing = {step.key: step.undo for step in plan.steps if step.freezes}
    assert freezing == {"quiesce-command": "unquiesce-command", "quiesce-plugin": "unquiesce-plugin"}
    for undo in freezing.values():
        assert plan.step(undo).options.attempts == 0, "a thaw is tried until it is done"


def test_what_is_mounted_is_unmounted():
    mount = backup_plan(make_config()).step("mount-plugin")
    assert mount.undo == "unmount-plugin"
    assert not mount.freezes


def test_the_error_notice_is_no_step_of_a_run_that_goes_well():
    plan = backup_plan(make_config())
    assert [step.key for step in plan.on_error] == ["send-trap-error-command"]
    assert "send-trap-error-command" not in [step.key for step in plan.steps]
    assert backup_plan(make_config(sendTrapErrorCmd="")).on_error == ()


def test_a_quiesce_command_without_an_unquiesce_command_names_none():
    assert backup_plan(make_config(appUnquiesceCmd="")).step("quiesce-command").undo == ""


def test_the_backup_itself_is_tried_once():
    assert backup_plan(make_config()).step("backup-plugin").options.attempts == 1


RESTORE = [
    "pre-restore-app-command",
    "pre-restore-plugin",
    "restore-command",
    "restore-plugin",
    "post-restore-app-command",
    "post-restore-plugin",
    "job-retention",
    "send-trap-success-command",
]
RESTORE_COMMANDS = {
    "preAppRestoreCmd": "echo,pre restore",
    "restoreCmd": "echo,restore",
    "postAppRestoreCmd": "echo,post restore",
}


def test_a_restore_follows_fossuls_order():
    plan = restore_plan(make_config(**RESTORE_COMMANDS), dry_run=False)
    assert [step.key for step in plan.steps] == RESTORE
    assert {step.policy for step in plan.steps} == {""}


def test_a_restore_may_back_up_first_what_it_overwrites_under_a_policy_of_its_own():
    config = make_config(**RESTORE_COMMANDS)
    plan = restore_plan(config, dry_run=False, safety=True)
    backup = keys(config)[: keys(config).index("mount-plugin")]
    assert [step.key for step in plan.steps] == [*backup, *RESTORE]
    assert all(len(stage.steps) == 1 for stage in plan.stages)
    assert [step.key for step in plan.steps if step.policy == SAFETY_POLICY] == backup
    assert {step.policy for step in plan.steps} == {SAFETY_POLICY, ""}
    assert plan.step("quiesce-plugin").undo == "unquiesce-plugin"
    assert plan.on_error == restore_plan(config, dry_run=False).on_error != ()
    assert Plan.model_validate(plan.wire()) == plan


def test_a_dry_run_backs_nothing_up():
    config = make_config(**RESTORE_COMMANDS)
    plan = restore_plan(config, dry_run=True, safety=True)
    assert [step.key for step in plan.steps] == ["restore-plugin"]
    assert plan == restore_plan(config, dry_run=True)


def test_a_safety_backup_that_nothing_would_make_is_refused():
    config = make_config(storagePlugin="", backupCreateCmd="", restoreCmd="echo,restore")
    with pytest.raises(PlanRefused, match="set StoragePlugin or BackupCreateCmd") as refused:
        restore_plan(config, dry_run=False, safety=True)
    assert refused.value.problems[0].step == "backup-plugin"
    assert "restore-command" in [step.key for step in restore_plan(config, dry_run=False).steps]


def test_a_plan_survives_the_wire():
    plan = backup_plan(make_config())
    assert Plan.model_validate(plan.wire()) == plan


def test_an_unknown_key_is_an_error():
    with pytest.raises(KeyError):
        backup_plan(make_config()).step("nope")
