"""Incidents: one alert and one recovery each, told to whom it concerns, and nothing that is not known."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_catalog
from tests.services.notices import MINUTE, NOW, events, hook, look, run_of
from workflows_app.domain.notices.incidents import QUIET_AFTER, IncidentKind
from workflows_app.models import (
    BackupConfig,
    Delivery,
    Incident,
    Run,
    Verification,
)
from workflows_app.services.notices.incident_facts import Surroundings
from workflows_app.services.notices.notifier import settle, take_turn

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning"),
]


def test_a_failing_backup_is_one_alert_and_its_success_one_recovery():
    hook()
    config = make_catalog()
    run_of(config, "ERROR", failure="disk full, password=hunter2hunter2")
    look()
    run_of(config, "ERROR", failure="disk still full")
    look(NOW + MINUTE)
    look(NOW + 2 * MINUTE)
    assert events() == ["incident.opened"]
    incident = Incident.objects.get()
    told = Delivery.objects.get().notice
    assert told["key"] == f"failed/{config.profile.name}/{config.name}/backup#{incident.pk}"
    assert "disk full, password=***" in told["reason"]
    assert told["url"].endswith(f"/runs/{told['run']}/")
    run_of(config, "COMPLETED")
    look(NOW + 3 * MINUTE)
    look(NOW + 4 * MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]
    incident.refresh_from_db()
    assert (incident.recovered, incident.over) == (NOW + 3 * MINUTE, "A later run went well.")
    opened, over = Delivery.objects.order_by("pk")
    assert over.notice["key"] == opened.notice["key"]
    assert (over.stream, over.notice["state"]) == (opened.stream, "recovered")


def test_a_cancelled_run_neither_alerts_nor_recovers():
    hook()
    config = make_catalog()
    run_of(config, "ERROR")
    look()
    run_of(config, "CANCELLED")
    look(NOW + MINUTE)
    assert events() == ["incident.opened"]
    assert Incident.objects.get().recovered is None


def test_what_comes_and_goes_is_told_in_peace():
    hook()
    config = make_catalog()
    now = NOW
    for _ in range(5):
        run_of(config, "ERROR")
        look(now := now + MINUTE)
        run_of(config, "COMPLETED")
        look(now := now + MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]
    assert Incident.objects.count() == 1
    run_of(config, "ERROR")
    look(now + MINUTE)
    look(NOW + QUIET_AFTER + 2 * MINUTE)
    assert events() == ["incident.opened", "incident.recovered", "incident.opened"]


def test_what_lasts_is_called_to_mind(settings):
    settings.FOSSUL_NOTIFY_REMIND_HOURS = 2
    hook()
    run_of(make_catalog(), "ERROR")
    for hours in range(5):
        look(NOW + timedelta(hours=hours))
    assert events() == ["incident.opened", "incident.reminder", "incident.reminder"]


def test_a_channel_hears_of_what_it_chose_alone():
    heard, other = make_catalog(), make_catalog()
    hook(name="by-config", everything=False, configs=[(heard.profile.name, heard.name)])
    hook(name="by-profile", everything=False, profiles=[heard.profile.name])
    hook(name="by-event", events=["missed"])
    hook(name="disabled", enabled=False)
    run_of(heard, "ERROR")
    run_of(other, "ERROR")
    look()
    told = Delivery.objects.order_by("pk").values_list("channel__name", "notice__config")
    assert sorted(told) == [("by-config", heard.name), ("by-profile", heard.name)]
    # Who was not told that it began is not told that it is over.
    run_of(heard, "COMPLETED")
    look(NOW + MINUTE)
    assert Delivery.objects.filter(event="incident.recovered").count() == 2


def test_a_channel_follows_a_renamed_configuration():
    config = make_catalog()
    hook(everything=False, configs=[(config.profile.name, config.name)])
    BackupConfig.objects.filter(pk=config.pk).update(name="renamed")
    config.refresh_from_db()
    run_of(config, "ERROR")
    look()
    assert events() == ["incident.opened"]


def test_a_configuration_that_is_gone_ends_its_incidents_and_says_so():
    hook()
    config = make_catalog()
    run_of(config, "ERROR")
    look()
    config.delete()
    look(NOW + MINUTE)
    assert Incident.objects.get().over == "There is no configuration of that name any more."


@pytest.mark.parametrize("status", ["MISSED", "SKIPPED"])
def test_a_run_that_never_began_is_told_and_made_good_by_a_later_one(status):
    hook(events=[kind.value for kind in IncidentKind])
    config = make_catalog()
    run_of(config, "COMPLETED", started=NOW - 3 * MINUTE)
    run_of(config, status, started=NOW - 2 * MINUTE, failure="nobody was there")
    look()
    assert Incident.objects.get().kind == status.lower()
    run_of(config, "COMPLETED", started=NOW - MINUTE)
    look(NOW + MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]


def progress(**changes: object) -> dict[str, object]:
    return {"state": "RUNNING", "frozen_since": (NOW - timedelta(hours=5)).isoformat(), **changes}


def test_a_freeze_beyond_its_budget_and_a_failed_thaw_are_told():
    hook()
    config, failed = make_catalog(), make_catalog()
    run = run_of(config, "RUNNING", progress=progress(still_frozen=["quiesce"]))
    left = run_of(failed, "ERROR", progress=progress(still_frozen=["quiesce"], thaw_failed=True))
    look()
    found = {(one.kind, one.run) for one in Incident.objects.all()}
    assert found == {("frozen", run.pk), ("frozen", left.pk), ("failed", left.pk)}
    Run.objects.filter(pk=run.pk).update(progress=progress(still_frozen=[]))
    look(NOW + MINUTE)
    assert Incident.objects.get(run=run.pk).recovered is not None
    # Nobody saw it thawed, but a later backup went well.
    run_of(failed, "COMPLETED")
    look(NOW + 2 * MINUTE)
    assert not Incident.objects.filter(recovered__isnull=True).exists()


def test_a_run_that_waits_for_a_person_is_told_until_somebody_decides():
    hook()
    run = run_of(make_catalog(), "RUNNING", progress={"pause_until": (NOW + timedelta(hours=2)).isoformat()})
    look()
    assert Incident.objects.get().kind == "waiting"
    Run.objects.filter(pk=run.pk).update(progress={})
    look(NOW + MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]


def test_a_failed_verification_is_told_until_a_later_one_is_good():
    hook()
    config = make_catalog()
    place = {"profile": config.profile.name, "config": config.name, "backup": "b1", "started": NOW}
    Verification.objects.create(**place, state="FAILED", words="2 files differ")
    look()
    assert "2 files differ" in Incident.objects.get(kind="damaged").reason
    Verification.objects.create(**place, state="GOOD")
    look(NOW + MINUTE)
    assert events() == ["incident.opened", "incident.recovered"]


def test_what_temporal_was_not_asked_stays_as_it_was():
    hook()
    config = make_catalog()
    place = (config.profile.name, config.name)
    late = Surroundings({place: NOW - timedelta(hours=1)}, {}, {place: ("b1",)}, frozenset())
    look(around=late)
    assert {one.kind for one in Incident.objects.all()} == {"overdue", "missing"}
    look(NOW + MINUTE, around=None)
    assert not Incident.objects.filter(recovered__isnull=False).exists()
    unclear = Surroundings({}, {}, {}, frozenset({(IncidentKind.MISSING, *place)}))
    look(NOW + 2 * MINUTE, around=unclear)
    assert {one.kind for one in Incident.objects.filter(recovered__isnull=True)} == {"missing"}


def test_whoever_lost_the_turn_writes_nothing():
    hook()
    run_of(make_catalog(), "ERROR")
    assert take_turn("slow", NOW)
    assert not take_turn("other", NOW)
    assert take_turn("other", NOW + timedelta(minutes=5))
    settle("slow", None, NOW + timedelta(minutes=5))
    assert not Incident.objects.exists()


def test_a_look_costs_the_same_however_many_runs_there_are():
    hook()
    config = make_catalog()
    run_of(config, "ERROR")
    look()
    with CaptureQueriesContext(connection) as few:
        look(NOW + MINUTE)
    for _ in range(30):
        run_of(make_catalog(), "COMPLETED")
        run_of(config, "COMPLETED")
        run_of(config, "ERROR")
    look(NOW + 2 * MINUTE)
    with CaptureQueriesContext(connection) as many:
        look(NOW + 3 * MINUTE)
    assert len(many) == len(few)
