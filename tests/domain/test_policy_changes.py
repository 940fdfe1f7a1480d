"""Which policies an edit takes away, and what was said to take their place."""

import pytest

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Configuration, FilePolicy
from workflows_app.domain.editing.policy_changes import gone_policies, new_policies, successors_of
from workflows_app.domain.errors import ConfigInvalid, PoliciesGone


def having(*names: str) -> Configuration:
    return Configuration(Config(), tuple(FilePolicy(name, 5) for name in names))


def test_what_is_gone_and_what_is_new_is_told_by_name_in_order():
    before, after = having("a", "b", "c"), having("c", "x", "a", "y")
    assert gone_policies(before, after) == ("b",)
    assert new_policies(before, after) == ("x", "y")
    assert gone_policies(before, having("c", "b", "a")) == ()


def test_of_each_policy_that_is_gone_it_must_be_said_what_becomes_of_it():
    before, after = having("a", "b"), having("x")
    with pytest.raises(PoliciesGone, match="policies a, b") as refused:
        successors_of(before, after, {"a": "x"})
    assert refused.value.policies == ("a", "b")
    assert successors_of(before, after, {"a": "x", "b": "", "c": "d"}) == {"a": "x", "b": ""}
    assert successors_of(before, before, {"a": "x"}) == {}


def test_only_a_new_policy_takes_the_place_of_one_and_of_one_alone():
    with pytest.raises(ConfigInvalid, match="successor of a: 'b' is no new policy"):
        successors_of(having("a", "b"), having("b"), {"a": "b"})
    with pytest.raises(ConfigInvalid, match="successor of a: 'x' cannot take the place of two"):
        successors_of(having("a", "b"), having("x"), {"a": "x", "b": "x"})
