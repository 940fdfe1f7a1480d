"""Job retention: which records of runs go."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError

from tests.factories import make_config, make_run
from workflows_app.activities import records
from workflows_app.activities.records import delete_jobs
from workflows_app.domain.config import Config
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.models import Run, RunMessage
from workflows_app.plugins.base import PluginContext

pytestmark = pytest.mark.django_db(transaction=True)

CONFIG = make_config(profileName="shop", configName="orders", jobRetention=2)


def closed(config: str = "orders", backup: str = "", log: bool = True) -> Run:
    now = datetime.now(UTC)
    run = make_run(
        profile="shop",
        config=config,
        status="COMPLETED",
        finished=now,
        progress={"backup_name": backup},
    )
    if log:
        RunMessage.objects.create(run=run, step=0, attempt=1, seq=1, time=now, level="INFO", text="x")
    return run


def sweep(config: Config = CONFIG) -> list[str]:
    said: list[str] = []
    result = delete_jobs(
        config, PluginContext(config=config, parameters={}, say=lambda level, text: said.append(text))
    )
    assert result.code == 0
    return said


def test_the_newest_runs_stay_and_the_others_go_in_fossuls_words() -> None:
    old, *kept = [closed(), closed(), closed()]
    what = "Job cleanup, more jobs exist for profile [shop] config [orders] than job retention [2]"
    assert sweep() == [f"{what}, deleting job [{old.pk}]"]
    assert set(Run.objects.values_list("pk", flat=True)) == {run.pk for run in kept}
    assert RunMessage.objects.count() == 2


def test_nothing_surplus_says_nothing() -> None:
    closed()
    closed()
    assert sweep() == []


def test_what_a_restore_needs_is_kept_without_its_log() -> None:
    old = closed(backup="orders-daily-1-2")
    for _ in range(2):
        closed()
    assert "keeping that it made the backup orders-daily-1-2" in sweep()[0]
    assert Run.objects.filter(pk=old.pk).exists()
    assert not RunMessage.objects.filter(run=old).exists()
    assert sweep() == [], "and is not worked on again"


def test_open_runs_and_other_configurations_are_left_alone() -> None:
    still = make_run(profile="shop", config="orders")
    other = closed("mail")
    for _ in range(2):
        closed()
    assert sweep() == []
    assert Run.objects.filter(pk__in=[still.pk, other.pk]).count() == 2


def test_a_run_that_left_no_trace_goes_too() -> None:
    make_run(profile="shop", config="orders", finished=datetime.now(UTC), status="UNKNOWN", progress={})
    for _ in range(2):
        closed()
    assert len(sweep()) == 1


def test_a_negative_retention_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="JobRetention"):
        sweep(make_config(jobRetention=-1))


def test_a_database_that_is_away_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(config: Config, keep: int) -> list[Run]:
        raise DatabaseError("the database is away")

    monkeypatch.setattr(records, "_surplus", away)
    assert sweep() == ["The records of old runs could not be deleted now: the database is away"]
