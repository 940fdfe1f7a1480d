"""When attempts were at work, as the log tells."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import VIEWER, make_run
from workflows_app.domain.errors import NotAllowed
from workflows_app.models import RunMessage
from workflows_app.services.logs.attempts import Spoken, attempt_times
from workflows_app.services.people.permissions import NOBODY

pytestmark = pytest.mark.django_db


def test_each_attempt_has_the_times_of_its_first_and_last_line() -> None:
    start = datetime(2026, 11, 24, 3, tzinfo=UTC)
    run, other = make_run(), make_run()
    said = [(run, 0, 1, 0), (run, 0, 1, 5), (run, 0, 2, 9), (run, 1000, 1, 20), (other, 0, 1, 99)]
    for seq, (of, step, attempt, second) in enumerate(said, 1):
        moment = start + timedelta(seconds=second)
        RunMessage.objects.create(run=of, step=step, attempt=attempt, seq=seq, time=moment, level="INFO")
    at = {n: start + timedelta(seconds=n) for n in (0, 5, 9, 20)}
    assert attempt_times(VIEWER, run.pk) == {
        (0, 1): Spoken(at[0], at[5]),
        (0, 2): Spoken(at[9], at[9]),
        (1000, 1): Spoken(at[20], at[20]),
    }
    with pytest.raises(NotAllowed):
        attempt_times(NOBODY, run.pk)
