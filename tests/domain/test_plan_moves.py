"""Moves of a plan's steps: nothing is lost or doubled, each can be undone, each button does its word."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.factories import make_config
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plan_actions import NOTICE, Act, Action, acted, read_action, with_command
from workflows_app.domain.plans.plan_layouts import OptionChanges, PlanLayout, layout_text, parse_layout
from workflows_app.domain.plans.plan_moves import (
    Move,
    Place,
    Stages,
    between,
    move,
    moved,
    onto,
    place_of,
    put_back,
    without,
)
from workflows_app.domain.plans.planned_backups import arranged_backup
from workflows_app.domain.plans.plans import backup_plan

ABC: Stages = (("a",), ("b", "c"), ("d",))
USUAL: Stages = tuple((step.key,) for step in backup_plan(make_config()).steps)


@st.composite
def arranged(draw: st.DrawFn) -> Stages:
    """Stages of up to eight steps, each named once."""
    keys = draw(st.permutations("abcdefgh"))[: draw(st.integers(1, 8))]
    stages: list[tuple[str, ...]] = []
    for key in keys:
        if stages and draw(st.booleans()):
            stages[-1] = (*stages[-1], key)
        else:
            stages.append((key,))
    return tuple(stages)


def steps(stages: Stages) -> Counter[str]:
    return Counter(key for stage in stages for key in stage)


@st.composite
def arranged_and_key(draw: st.DrawFn) -> tuple[Stages, str]:
    stages = draw(arranged())
    return stages, draw(st.sampled_from([key for stage in stages for key in stage]))


places = st.builds(Place, st.integers(-2, 10), st.none() | st.integers(-2, 10))


@given(arranged_and_key(), places)
def test_a_move_neither_loses_nor_doubles_a_step_and_is_undone_by_going_back(given, place):
    stages, key = given
    after = move(stages, key, place)
    assert steps(after) == steps(stages)
    assert all(after)
    assert move(after, key, place_of(stages, key)) == stages


@given(arranged_and_key(), st.sampled_from(Move))
def test_a_button_moves_nothing_but_its_step_and_can_be_undone(given, way):
    stages, key = given
    after = moved(stages, key, way)
    assert steps(after) == steps(stages)
    if len(stages) + sum(map(len, stages)) > 2:
        assert without(after, key) == without(stages, key)
    assert move(after, key, place_of(stages, key)) == stages


@given(arranged_and_key(), st.data())
def test_a_drop_lands_where_the_pointer_was(given, data):
    stages, key = given
    number = data.draw(st.integers(0, len(stages) - 1))
    company = set(stages[number]) - {key}
    after = onto(stages, key, number)
    assert steps(after) == steps(stages)
    assert any(set(stage) == company | {key} for stage in after)

    gap = data.draw(st.integers(0, len(stages)))
    after = between(stages, key, gap)
    assert steps(after) == steps(stages)
    at = after.index((key,))
    before = {k for stage in stages[:gap] for k in stage} - {key}
    assert {k for stage in after[:at] for k in stage} == before


@given(arranged_and_key())
def test_a_step_that_was_left_out_comes_back_at_its_place(given):
    stages, key = given
    assume(sum(map(len, stages)) > 1)
    usual = [k for stage in stages for k in stage]
    alone: Stages = tuple((k,) for k in usual)
    assert put_back(without(alone, key), key, usual) == alone


@pytest.mark.parametrize(("way", "key", "after"), [
    (Move.EARLIER, "a", ABC),
    (Move.EARLIER, "d", (("a",), ("d",), ("b", "c"))),
    (Move.EARLIER, "c", (("a",), ("c",), ("b",), ("d",))),
    (Move.LATER, "a", (("b", "c"), ("a",), ("d",))),
    (Move.LATER, "b", (("a",), ("c",), ("b",), ("d",))),
    (Move.LATER, "d", ABC),
    (Move.WITH_ABOVE, "a", ABC),
    (Move.WITH_ABOVE, "d", (("a",), ("b", "c", "d"))),
    (Move.WITH_ABOVE, "b", (("a", "b"), ("c",), ("d",))),
    (Move.WITH_BELOW, "a", (("b", "c", "a"), ("d",))),
    (Move.WITH_BELOW, "c", (("a",), ("b",), ("d", "c"))),
    (Move.WITH_BELOW, "d", ABC),
    (Move.ALONE, "b", (("a",), ("c",), ("b",), ("d",))),
    (Move.ALONE, "a", ABC),
])  # fmt: skip
def test_each_button_does_its_word(way, key, after):
    assert moved(ABC, key, way) == after


def test_what_is_not_there_is_not_moved():
    for broken in (
        lambda: move(ABC, "z", Place(0)),
        lambda: moved(ABC, "z", Move.LATER),
        lambda: put_back(ABC, "z", ["a"]),
    ):
        with pytest.raises(KeyError):
            broken()
    for broken in (lambda: onto(ABC, "a", 3), lambda: between(ABC, "a", 4), lambda: between(ABC, "a", -1)):
        with pytest.raises(IndexError):
            broken()


@pytest.mark.parametrize(
    "text", ["", "later", "dance a", "onto a", "onto a x", "later a 1", "onto a 1000000"]
)
def test_an_action_that_is_none_is_refused(text):
    with pytest.raises(ConfigInvalid):
        acted(PlanLayout(), USUAL, read_action(text))


def test_an_action_writes_the_order_out_and_leaves_the_rest():
    layout = PlanLayout(options={"backup-plugin": OptionChanges(attempts=3)}, pause_seconds=60)
    after = acted(layout, USUAL, read_action("later backup-plugin"))
    assert after.stages == moved(USUAL, "backup-plugin", Move.LATER)
    assert (after.options, after.pause_seconds) == (layout.options, 60)
    assert acted(after, USUAL, Action(Act.RESET)) == PlanLayout(stages=USUAL)


def test_an_own_command_is_added_before_the_success_notice_and_removed_with_its_options():
    added = with_command(PlanLayout(), USUAL, "inventory", "ls,-l")
    assert added.stages[-2:] == (("inventory",), (NOTICE,))
    assert arranged_backup(make_config(), added)[1] == ()
    assert parse_layout(layout_text(added)) == added
    told = added.model_copy(update={"options": {"inventory": OptionChanges(attempts=2)}})
    assert acted(told, USUAL, Action(Act.REMOVE, "inventory")) == PlanLayout(stages=USUAL)


def test_a_command_that_cannot_be_is_refused_by_its_field():
    added = with_command(PlanLayout(), USUAL, "inventory", "ls")
    for key, line, field in (
        ("inventory", "ls", "name"),
        ("Not this", "ls", "name"),
        ("quiesce-plugin", "ls", "name"),
        ("other", " ", "command"),
    ):
        with pytest.raises(ConfigInvalid) as refused:
            with_command(added, USUAL, key, line)
        assert refused.value.field == field


def test_steps_of_fossul_are_put_back_and_never_removed():
    layout = PlanLayout(stages=without(USUAL, "backup-plugin"))
    assert acted(layout, USUAL, Action(Act.PUT_BACK, "backup-plugin")).stages == USUAL
    with pytest.raises(ConfigInvalid):
        acted(PlanLayout(), USUAL, Action(Act.REMOVE, "backup-plugin"))


def test_of_a_step_that_is_named_twice_the_second_mention_is_taken_out():
    layout = PlanLayout(stages=(("a",), ("b", "a")))
    assert acted(layout, USUAL, Action(Act.TAKE_OUT, "a")).stages == (("a",), ("b",))
