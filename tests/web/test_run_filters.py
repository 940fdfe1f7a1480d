"""The filter of the list of runs in its address: read, written, and refused in words."""

from datetime import date

import pytest
from django.http import QueryDict

from workflows_app.domain.states import RunState
from workflows_app.services.runs.run_search import RunOrder, RunQuery
from workflows_app.web.runs.run_filters import SORTS, asked_runs, query_string

FULL = RunQuery(
    profile="shop", config="orders", policy="daily", type="restore", state=RunState.ERROR,
    first=date(2026, 11, 1), last=date(2026, 11, 24), text='disk "no space"', order=RunOrder.SIZE,
)  # fmt: skip


@pytest.mark.parametrize("query", [RunQuery(), FULL, RunQuery(order=RunOrder.DURATION, ascending=True)])
def test_an_address_asks_for_what_it_was_made_of(query: RunQuery) -> None:
    assert asked_runs(QueryDict(query_string(query).removeprefix("?"))) == (query, ())


def test_every_order_has_a_word() -> None:
    assert {(order, up) for _, order, up in SORTS.values()} == {(o, up) for o in RunOrder for up in (0, 1)}


def test_nothing_asked_is_no_address() -> None:
    assert query_string(RunQuery()) == ""
    assert query_string(RunQuery(), page=3) == "?page=3"


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("from=yesterday", "from"), ("to=2026-02-30", "to"), ("state=FINE", "state"), ("type=x", "type"),
        ("sort=colour", "sort"), ("from=%00", "from"), ("to=99999999999999", "to"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_named_and_left_out(address: str, field: str) -> None:
    query, problems = asked_runs(QueryDict(f"profile=shop&{address}"))
    assert query == RunQuery(profile="shop")
    (problem,) = problems
    assert problem.startswith(f"{field}: ")


def test_a_very_long_text_is_cut() -> None:
    query, _ = asked_runs(QueryDict(f"q={'x' * 5000}"))
    assert len(query.text) == 200
