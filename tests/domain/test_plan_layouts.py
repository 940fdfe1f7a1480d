"""Layouts: from TOML and back, and the plans that come of them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories import EVERY_STEP, make_config
from workflows_app.domain import naming
from workflows_app.domain.durations import duration_text, parse_duration
from workflows_app.domain.errors import ConfigInvalid, PlanRefused
from workflows_app.domain.plans.plan_layouts import (
    BACKUP_STEPS,
    OptionChanges,
    PlanLayout,
    layout_from_table,
    layout_text,
    parse_layout,
)
from workflows_app.domain.plans.planned_backups import planned_backup
from workflows_app.domain.plans.plans import OnFailure, Plan, StepOptions, backup_plan

EXAMPLE = """
[Plan]
FreezeBudget = "2h"            # a comment
PauseFor = 90
StaysFrozen = true
UnfrozenBackup = false
Stages = [["quiesce-plugin"], ["backup-plugin", "inventory"], ["unquiesce-plugin"]]
[Plan.Commands]
inventory = "ls,-l,/data"
[Plan.Steps.backup-plugin]
Attempts = 3
Backoff = "30s"
Timeout = "12h"
Heartbeat = 10.5
OnFailure = "pause"
MaySkip = true
"""
READ = PlanLayout(
    stages=(("quiesce-plugin",), ("backup-plugin", "inventory"), ("unquiesce-plugin",)),
    options={
        "backup-plugin": OptionChanges(
            attempts=3,
            backoff_seconds=30,
            timeout_seconds=12 * 3600,
            heartbeat_seconds=10.5,
            on_failure=OnFailure.PAUSE,
            may_skip=True,
        )
    },
    commands={"inventory": "ls,-l,/data"},
    freeze_budget_seconds=7200,
    pause_seconds=90,
    stays_frozen=True,
)
# A configuration with few steps, and all of them in Fossul's order.
ALL = (("quiesce-plugin",), ("backup-plugin",), ("unquiesce-plugin",), ("backup-retention",))
SMALL = {key: type(value)() for key, value in EVERY_STEP.items() if key not in ("appPlugin", "storagePlugin")}


def test_every_field_is_read():
    assert parse_layout(EXAMPLE) == READ


def test_option_names_are_read_whatever_their_case_and_the_outer_table_may_be_missing():
    assert parse_layout(EXAMPLE.replace("Plan", "pLAN").replace("Timeout", "timeout")) == READ
    assert parse_layout(EXAMPLE.replace("[Plan]", "").replace("Plan.", "")) == READ


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "[Plan]", "Stages = []", "[Plan.Steps.backup-plugin]"])
def test_nothing_said_is_fossuls_order(text):
    assert parse_layout(text) == PlanLayout()
    assert layout_text(PlanLayout()) == ""


def test_only_what_differs_is_written():
    layout = PlanLayout(
        pause_seconds=90, options={"backup-plugin": OptionChanges(attempts=0, may_skip=False)}
    )
    assert layout_text(layout) == (
        '[Plan]\nPauseFor = "1m30s"\n\n[Plan.Steps.backup-plugin]\nAttempts = 0\nMaySkip = false\n'
    )


REFUSED = {
    "unknown name": ("Freeze = 1", "Plan.Freeze", "known are FreezeBudget, PauseFor"),
    "unknown beside the table": ("[plan]\n[other]", "other", "known are Plan"),
    "the table twice": ("[plan]\n[Plan]", "Plan", "given twice"),
    "no table": ("Plan = 1", "Plan", "a table is wanted, not a number"),
    "unknown option": (
        "[plan.steps.backup-plugin]\nTime = 1",
        "plan.steps.backup-plugin.Time",
        "known are Attempts",
    ),
    "an option twice": (
        "[Steps.backup-plugin]\nTimeout = 9\ntimeout = 9",
        "Plan.Steps.backup-plugin.timeout",
        "twice",
    ),
    "unknown step": ("[Plan.Steps.backup]", "Plan.Steps.backup", "backup-plugin, pre-unquiesce-command"),
    "a step in capitals": ("[Plan.Steps.Backup-Plugin]", "Plan.Steps.Backup-Plugin", "known are"),
    "steps no table": ("Steps = []", "Plan.Steps", "not a list"),
    "a step no table": ("Steps.backup-plugin = 5", "Plan.Steps.backup-plugin", "not a number"),
    "unknown step in a stage": ('Stages = [["backup-plugin"], ["x"]]', "Plan.Stages", "stage 2 names x"),
    "stages no list": ('Stages = "x"', "Plan.Stages", "not text"),
    "a stage no list": ('Stages = ["backup-plugin"]', "Plan.Stages", "stage 1"),
    "an empty stage": ("Stages = [[]]", "Plan.Stages", "stage 1"),
    "a number in a stage": ("Stages = [[1]]", "Plan.Stages", "stage 1 has a number"),
    "commands no table": ("Commands = 2020-01-01", "Plan.Commands", "not a date or time"),
    "a command no text": ("Commands.x = 1", "Plan.Commands.x", "not a number"),
    "a command without a program": ('Commands.x = ",a"', "Plan.Commands.x", "no program"),
    "an empty command": ('Commands.x = ""', "Plan.Commands.x", "no program"),
    "a line break": ('Commands.x = "ls\\n"', "Plan.Commands.x", "line break"),
    "a NUL": ('Commands.x = "ls,\\u0000"', "Plan.Commands.x", "NUL"),
    "a command in a pod": ('Commands.x = ":ls,-l"', "Plan.Commands.x", "pod"),
    "a command in a named pod": ('Commands.x = "web:ls,-l"', "Plan.Commands.x", "pod"),
    "a name of Fossul's": ('Commands.backup-plugin = "ls"', "Plan.Commands.backup-plugin", "Fossul's own"),
    "a name of a compensation": ('Commands.undo-x = "ls"', "Plan.Commands.undo-x", "Fossul's own"),
    "capitals in a key": ('Commands.Inventory = "ls"', "Plan.Commands.Inventory", "lower-case"),
    "a blank in a key": ('Commands."a b" = "ls"', "Plan.Commands.'a b'", "lower-case"),
    "a dash at the end of a key": ('Commands.a- = "ls"', "Plan.Commands.a-", "lower-case"),
    "a long key": (f'Commands.{"a" * 64} = "ls"', f"Plan.Commands.'{'a' * 63}'", "63"),
    "no time": ('PauseFor = "soon"', "Plan.PauseFor", "from 1 s to 7 d"),
    "no time in it": ('PauseFor = ""', "Plan.PauseFor", "1h30m"),
    "a time in other digits": ('PauseFor = "٣s"', "Plan.PauseFor", "1h30m"),
    "true for a time": ("PauseFor = true", "Plan.PauseFor", "not true or false"),
    "a pause too short": ("PauseFor = 0.5", "Plan.PauseFor", "too short or too long"),
    "a pause too long": ('PauseFor = "8d"', "Plan.PauseFor", "too short or too long"),
    "an endless pause": ("PauseFor = inf", "Plan.PauseFor", "too short or too long"),
    "no number": ("PauseFor = nan", "Plan.PauseFor", "too short or too long"),
    "a number beyond floats": (f"PauseFor = 0x{'f' * 5000}", "Plan.PauseFor", "too short or too long"),
    "a budget too long": ('FreezeBudget = "8d"', "Plan.FreezeBudget", "from 1 s to 7 d"),
    "a timeout too long": ('Steps.backup-plugin.Timeout = "31d"', "Plan.Steps.backup-plugin.Timeout", "30 d"),
    "a heartbeat too long": (
        'Steps.backup-plugin.Heartbeat = "2h"',
        "Plan.Steps.backup-plugin.Heartbeat",
        "1 h",
    ),
    "a back-off too long": ('Steps.backup-plugin.Backoff = "2h"', "Plan.Steps.backup-plugin.Backoff", "1 h"),
    "too many attempts": (
        "Steps.backup-plugin.Attempts = 101",
        "Plan.Steps.backup-plugin.Attempts",
        "0 to 100",
    ),
    "attempts below 0": (
        "Steps.backup-plugin.Attempts = -1",
        "Plan.Steps.backup-plugin.Attempts",
        "0 to 100",
    ),
    "half an attempt": ("Steps.backup-plugin.Attempts = 1.5", "Plan.Steps.backup-plugin.Attempts", "whole"),
    "true attempts": ("Steps.backup-plugin.Attempts = true", "Plan.Steps.backup-plugin.Attempts", "whole"),
    "another manner": (
        'Steps.backup-plugin.OnFailure = "stop"',
        "Plan.Steps.backup-plugin.OnFailure",
        '"fail", "continue", "pause"',
    ),
    "a number for yes": ("StaysFrozen = 1", "Plan.StaysFrozen", "true or false"),
    "text for no": (
        'Steps.backup-plugin.MaySkip = "false"',
        "Plan.Steps.backup-plugin.MaySkip",
        "without quotes",
    ),
    "a heartbeat longer than the timeout": (
        'Steps.backup-plugin = { Timeout = "5s", Heartbeat = "6s" }',
        "Plan.Steps.backup-plugin.Heartbeat",
        "Timeout of 5 s",
    ),
    "no TOML": ("Stages = [\nx", "Plan", "line 2, column 1"),
    "an open table": ("[Plan", "Plan", "line 1, column 6"),
    "an endless number": (f"PauseFor = {'9' * 5000}", "Plan", "too long"),
    "lists without end": (f"Stages = {'[' * 5000}", "Plan", "too deep"),
    "too much": ("#" * 70_000, "Plan", "longer than"),
}


@pytest.mark.parametrize(("text", "field", "words"), REFUSED.values(), ids=REFUSED)
def test_bad_text_names_the_field_as_it_was_written_and_what_is_allowed(text, field, words):
    with pytest.raises(ConfigInvalid) as refused:
        parse_layout(text)
    assert refused.value.field == field
    assert words in refused.value.reason


def test_a_refusal_does_not_repeat_a_command():
    with pytest.raises(ConfigInvalid) as refused:
        parse_layout('Commands.x = ":mysql,--password=hunter2"')
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("2d", 172_800), ("1d1h1m1s", 90_061)]
)
def test_durations_are_read(text, seconds):
    assert parse_duration(text) == seconds


@given(st.integers(1, 30 * 86400))
def test_durations_are_read_back(seconds: int) -> None:
    assert parse_duration(duration_text(seconds)) == seconds


def times(high: int) -> st.SearchStrategy[float]:
    return st.one_of(st.integers(1, high).map(float), st.floats(1, high))


CHANGES = st.builds(
    OptionChanges,
    timeout_seconds=st.none() | times(30 * 86400).map(lambda seconds: max(seconds, 3600.0)),
    heartbeat_seconds=st.none() | times(3600),
    attempts=st.none() | st.integers(0, 100),
    backoff_seconds=st.none() | times(3600),
    on_failure=st.none() | st.sampled_from(OnFailure),
    may_skip=st.none() | st.booleans(),
)
KEYS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?", fullmatch=True).filter(
    lambda key: key not in BACKUP_STEPS and not key.startswith("undo-")
)
LINES = st.text(
    st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from('\t"\\,'), min_size=1, max_size=20
).filter(lambda line: line.split(",")[0].strip() and ":" not in line)


@st.composite
def layouts(draw: st.DrawFn) -> PlanLayout:
    commands = draw(st.dictionaries(KEYS, LINES, max_size=3))
    keys = st.sampled_from([*BACKUP_STEPS, *commands])
    return PlanLayout(
        stages=draw(st.lists(st.lists(keys, min_size=1, max_size=3).map(tuple), max_size=4).map(tuple)),
        options=draw(st.dictionaries(keys, CHANGES, max_size=3)),
        commands=commands,
        pause_seconds=draw(times(7 * 86400)),
        stays_frozen=draw(st.booleans()),
        freeze_budget_seconds=draw(times(7 * 86400)),
        unfrozen_backup=draw(st.booleans()),
    )


@settings(max_examples=200, deadline=None)
@given(layouts())
def test_a_layout_survives_its_text_and_its_json(layout: PlanLayout) -> None:
    assert parse_layout(layout_text(layout)) == layout
    assert PlanLayout.model_validate(layout.model_dump(mode="json")) == layout
    assert PlanLayout.model_validate(layout.wire()) == layout


NAMES = st.sampled_from(
    ["Plan", "plan", "Stages", "Commands", "Steps", "Timeout", "heartbeat", "Attempts", "OnFailure",
     "MaySkip", "PauseFor", "FreezeBudget", "StaysFrozen", "backup-plugin", "unmount-plugin", "x", ""]
) | st.text(max_size=5)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_a_table_of_anything_is_read_or_refused(table: dict[str, object]) -> None:
    try:
        layout = layout_from_table(table)
    except ConfigInvalid as refused:
        assert refused.field.startswith("Plan")
    else:
        assert parse_layout(layout_text(layout)) == layout


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(EXAMPLE.splitlines()) | st.text(max_size=8), max_size=10).map("\n".join)
)
def test_text_of_anything_is_read_or_refused(text: str) -> None:
    try:
        layout = parse_layout(text)
    except ConfigInvalid as refused:
        assert refused.reason
    else:
        assert parse_layout(layout_text(layout)) == layout


@pytest.mark.parametrize(
    "changes", [{"timeout_seconds": math.inf}, {"heartbeat_seconds": 0}, {"attempts": 101}]
)
def test_options_out_of_bounds_are_refused_from_json_too(changes):
    with pytest.raises(ValueError, match="1 validation error"):
        PlanLayout.model_validate({"options": {"backup-plugin": changes}})


def test_without_a_layout_a_backup_is_fossuls():
    config = make_config()
    assert planned_backup(config, PlanLayout()) == backup_plan(config)


def test_the_steps_are_taken_in_the_order_of_the_layout_with_its_options():
    config = make_config(**SMALL)
    stages = (ALL[0], ("backup-plugin", "check-disk-space"), *ALL[2:])
    given_options = {
        "backup-plugin": OptionChanges(attempts=3, timeout_seconds=60, on_failure=OnFailure.PAUSE),
        "unquiesce-plugin": OptionChanges(backoff_seconds=5),
        "check-disk-space": OptionChanges(on_failure=OnFailure.CONTINUE, timeout_seconds=5),
    }
    layout = PlanLayout(
        stages=stages,
        options=given_options,
        commands={"check-disk-space": "df,-h"},
        pause_seconds=60,
        stays_frozen=True,
        freeze_budget_seconds=120,
        unfrozen_backup=True,
    )
    plan = planned_backup(config, layout)
    assert tuple(tuple(step.key for step in stage.steps) for stage in plan.stages) == stages
    assert plan.step("backup-plugin").options == StepOptions(
        attempts=3, timeout_seconds=60, on_failure=OnFailure.PAUSE
    )
    thaw = plan.step("unquiesce-plugin").options
    assert thaw == StepOptions(attempts=0, timeout_seconds=3600, backoff_seconds=5), (
        "the rest is the step's own"
    )
    custom = plan.step("check-disk-space")
    assert (custom.activity, custom.line, custom.command) == (naming.COMMAND_RUN, "df,-h", "")
    assert (custom.name, custom.phase) == ("Check disk space command", "Performing Custom Commands")
    assert custom.options.heartbeat_seconds == 5, "a heartbeat that nobody chose gives way to the timeout"
    assert (plan.pause_seconds, plan.stays_frozen) == (60, True)
    assert (plan.freeze_budget_seconds, plan.unfrozen_backup) == (120, True)
    assert Plan.model_validate(plan.wire()) == plan


def test_the_error_notice_is_kept():
    config = make_config(**{**SMALL, "sendTrapErrorCmd": "echo,it went wrong"})
    stages = tuple((step.key,) for step in backup_plan(config).steps)
    assert planned_backup(config, PlanLayout(stages=stages)).on_error == backup_plan(config).on_error


def refused(layout: PlanLayout, **changes: object) -> dict[tuple[str, str], str]:
    with pytest.raises(PlanRefused) as caught:
        planned_backup(make_config(**{**SMALL, **changes}), layout)
    problems = caught.value.problems
    assert str(caught.value) == " ".join(problem.words for problem in problems)
    return {(problem.step, problem.rule): problem.words for problem in problems}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("archive-plugin", "set ArchivePlugin,"),
        ("mount-plugin", "set StoragePlugin and ArchivePlugin,"),
        ("discover-plugin", "set AppPlugin and AutoDiscovery,"),
        ("job-retention", "set JobRetention,"),
        ("pre-quiesce-command", "set PreAppQuiesceCmd,"),
        ("inventroy", "correct its name"),
    ],
)
def test_a_name_that_is_not_there_says_what_makes_it_be_there(key, words):
    expected = {(key, "names known")}
    in_a_stage = refused(PlanLayout(stages=(*ALL, (key,))))
    in_the_options = refused(PlanLayout(options={key: OptionChanges(attempts=2)}))
    assert set(in_a_stage) == set(in_the_options) == expected
    assert words in in_a_stage[key, "names known"]


def test_what_is_configured_may_not_be_left_out():
    problems = refused(PlanLayout(stages=ALL[:3]))
    assert problems == {
        ("backup-retention", "nothing left out"): "'backup-retention' is in no stage of the plan: name it in "
        "Stages, or no longer configure StoragePlugin."
    }


def test_a_command_must_have_its_place():
    assert set(refused(PlanLayout(commands={"inventory": "ls"}))) == {("inventory", "nothing left out")}


def test_the_rules_of_plans_are_kept():
    stages = (ALL[1], ALL[0], *ALL[2:])
    assert set(refused(PlanLayout(stages=stages))) == {("backup-plugin", "backup while frozen")}
    assert set(refused(PlanLayout(stages=(*ALL, ALL[1])))) >= {("backup-plugin", "nothing twice")}


def test_a_configuration_that_freezes_and_cannot_thaw_is_refused_without_a_layout_too():
    assert set(refused(PlanLayout(), appQuiesceCmd="freeze")) == {("quiesce-command", "undone later")}


def test_a_command_that_came_by_another_way_than_text_is_checked():
    with pytest.raises(ConfigInvalid, match=r"Plan\.Commands\.backup-plugin"):
        planned_backup(make_config(), PlanLayout(commands={"backup-plugin": "ls"}))
