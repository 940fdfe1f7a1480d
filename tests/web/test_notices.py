"""Why nothing happens: for every state that waits, who or what is waited for, since when, and what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import VIEWER, make_run
from tests.web.test_run_views import BACKUP, UNQUIESCE, at, events, summary
from workflows_app.domain.errors import NotAllowed
from workflows_app.domain.runs.events import PendingStep, StepScheduled
from workflows_app.domain.runs.progress import Progress
from workflows_app.domain.states import RunState
from workflows_app.services.people.permissions import NOBODY
from workflows_app.services.runs import runs
from workflows_app.services.temporal.progress import Sight, Stall
from workflows_app.web.runs.notices import Notice, run_notices


def only(sight: Sight, holder: runs.RunSummary | None = None) -> Notice:
    (notice,) = run_notices(sight, holder)
    return notice


def retrying(step: int, spec, attempt: int, *, compensates: bool = False, **options: object) -> Notice:
    plan = events().plan
    changed = tuple(
        stage.model_copy(
            update={
                "steps": tuple(
                    s.model_copy(update={"options": s.options.model_copy(update=options)})
                    if s.key == spec.key
                    else s
                    for s in stage.steps
                )
            }
        )
        for stage in plan.stages
    )
    progress = events(StepScheduled(at(3), step, spec, compensates)).model_copy(
        update={"plan": plan.model_copy(update={"stages": changed})}
    )
    pending = PendingStep(step, attempt, taken=False, failure="no route to host", retry_at=at(40))
    return only(Sight(progress=progress.with_pending([pending])))


def test_a_retry_says_which_of_how_many_why_and_when() -> None:
    notice = retrying(1, BACKUP, 2, attempts=5)
    assert notice.title == f"“{BACKUP.name}” waits for attempt 2 of 5"
    assert notice.text == "The last one failed: no route to host. The next begins at"
    assert notice.since == at(40)


def test_what_is_tried_until_it_succeeds_says_so() -> None:
    assert retrying(1, UNQUIESCE, 7).title.endswith("attempt 7: it is tried until it succeeds")
    assert retrying(1, UNQUIESCE, 7, compensates=True).title.endswith("it is tried until it succeeds")


def test_a_step_that_waits_behind_others_says_that_the_workers_are_busy() -> None:
    progress = events(StepScheduled(at(3), 1, BACKUP, False))
    notice = only(Sight(progress=progress, stall=Stall("fossul", None, busy=True)))
    assert "Queued behind other steps" in notice.title
    assert BACKUP.name in notice.text
    assert (notice.since, notice.command) == (at(3), "")


def test_a_queued_run_names_the_one_that_holds_the_lock() -> None:
    queued = Sight(progress=Progress(state=RunState.QUEUED))
    holder = replace(summary(), number=41, requested_by="vera")
    notice = only(queued, holder)
    assert (notice.title, notice.run, notice.since) == ("Queued", 41, holder.started)
    assert "run 41" in notice.text
    assert "vera" in notice.text
    unknown = only(queued)
    assert (unknown.run, unknown.since) == (None, None)
    assert "lock" in unknown.text


@pytest.mark.django_db
def test_the_holder_is_the_open_run_of_the_same_configuration() -> None:
    common = {"profile": "shop", "config": "orders"}
    now = datetime.now(UTC)
    make_run(**common, status="COMPLETED", finished=now)
    make_run(profile="shop", config="users")
    queued = runs.summarize(make_run(**common, status="QUEUED", run_id=""))
    assert runs.lock_holder(VIEWER, queued) is None
    holder = make_run(**common, started=now - timedelta(minutes=5))
    found = runs.lock_holder(VIEWER, queued)
    assert found is not None
    assert found.number == holder.pk
    with pytest.raises(NotAllowed):
        runs.lock_holder(NOBODY, queued)
