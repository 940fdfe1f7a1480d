"""Runs that began with the code of yesterday must go on with that of today: recorded histories fit.

When one does not, and that is meant: ``python -m tests.workflows.record_histories``.
"""

import json

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.workflow import NondeterminismError

from tests.workflows.changed import OneByOne, Shorter, Slower, Swapped
from tests.workflows.record_histories import FOLDER, cases
from tests.workflows.replays import replayer
from workflows_app.workflows.registered import WORKFLOWS

CASES = cases()


def history_of(case: str) -> WorkflowHistory:
    path = FOLDER / f"{case}.json"
    assert path.is_file(), f"{path.name} is missing: python -m tests.workflows.record_histories"
    return WorkflowHistory.from_json(f"fossul/test/{case}", json.loads(path.read_text()))


def test_every_case_is_recorded_and_nothing_else():
    assert {path.stem for path in FOLDER.iterdir()} == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_recorded_run_ended_as_it_must(case):
    """A history that was recorded too early would prove little."""
    last = EventType.Name(history_of(case).events[-1].event_type)
    assert last == f"EVENT_TYPE_WORKFLOW_EXECUTION_{CASES[case].ends}"


@pytest.mark.parametrize("case", CASES)
async def test_the_code_of_today_fits_the_run_of_yesterday(case):
    await replayer(*WORKFLOWS).replay_workflow(history_of(case))


@pytest.mark.parametrize(
    ("careless", "case"),
    [(Swapped, "complete"), (Shorter, "complete"), (Slower, "complete"), (OneByOne, "parallel_stage")],
)
async def test_a_careless_change_would_be_noticed(careless, case):
    with pytest.raises(NondeterminismError):
        await replayer(careless).replay_workflow(history_of(case))
