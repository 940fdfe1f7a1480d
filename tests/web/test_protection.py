"""Protection and the next run on the overview and on a configuration's page, in words and shapes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import VIEWER, make_catalog, make_run
from tests.services.test_protection import known, nightly
from tests.web.test_control import login
from workflows_app.domain.runs.protection import storage_mark
from workflows_app.models import BackupConfig, Catalogue
from workflows_app.services.schedules import schedule_lists
from workflows_app.services.schedules.schedule_lists import KnownSchedules
from workflows_app.web.live import list_fragments
from workflows_app.web.pages.schedule_views import SchedulesOf
from workflows_app.web.views import profiles

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def temporal_is_away(settings) -> None:
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"


@pytest.fixture
def viewer(client: Client) -> Client:
    login(client, "viewer")
    return client


@pytest.fixture
def row() -> BackupConfig:
    return make_catalog(storagePlugin="filesystem")


@pytest.fixture
def schedules(monkeypatch):
    """Let Temporal, which is away, be known to have these schedules."""

    def have(found: KnownSchedules) -> None:
        monkeypatch.setattr(schedule_lists, "known_schedules", lambda actor: found)

    return have


def seen(row: BackupConfig, age: timedelta | None, read: timedelta = 3 * HOUR) -> None:
    """One restore point of that age, or none, was seen three hours ago."""
    now = datetime.now(UTC)
    points = [] if age is None else [("b", "daily", int((now - age).timestamp()))]
    mark = storage_mark("filesystem", {})
    place = {"profile": row.profile.name, "config": row.name}
    Catalogue.objects.create(**place, points=points, read=now - read, tried=now, storage=mark)


def completed(row: BackupConfig, age: timedelta, **changes: object) -> None:
    moment = datetime.now(UTC) - age
    given = {"status": "COMPLETED", "started": moment, "finished": moment, **changes}
    make_run(profile=row.profile.name, config=row.name, **given)


def cell(client: Client, row: BackupConfig) -> str:
    page = client.get(reverse("overview")).content.decode()
    begin = page.index(f'<tr id="config-{row.profile.name}.{row.name}"')
    return " ".join(page[begin : page.index("</tr>", begin)].split())


def needs(client: Client) -> str:
    page = client.get(reverse("overview")).content.decode()
    return page[page.index('id="part-needs"') : page.index('id="part-now"')]


def test_a_protected_configuration_says_until_when_and_from_what(viewer, row, schedules):
    schedules(known(nightly(row)))
    seen(row, HOUR / 60)
    found = cell(viewer, row)
    assert "<span>protected</span>" in found
    assert "until <time" in found
    assert "seen <time" in found and "3 h ago" in found
    assert "Nothing: no last run failed" in needs(viewer)


def test_one_whose_protection_has_lapsed_needs_a_person(viewer, row, schedules):
    schedules(known(nightly(row)))
    seen(row, 60 * HOUR)
    assert "<span>lapsed</span>" in cell(viewer, row)
    assert "<strong>Not protected</strong> since" in needs(viewer)
    completed(row, HOUR, status="ERROR", failure="it said no")
    assert "Not protected" not in needs(viewer), "the failure says it already"
    assert "<span>lapsed</span>" in cell(viewer, row)


def test_one_whose_backups_are_all_gone_needs_a_person(viewer, row, schedules):
    schedules(known(nightly(row)))
    completed(row, HOUR)
    seen(row, None)
    assert "<span>nothing to restore</span>" in cell(viewer, row)
    assert "<strong>Nothing to restore</strong>" in needs(viewer)


@pytest.mark.parametrize(("found", "words", "next_words"), [
    (KnownSchedules(), "no schedule", "not scheduled"),
    (KnownSchedules(trouble="away"), "schedules not known", ">unknown<"),
])  # fmt: skip
def test_without_a_promise_its_absence_is_told(viewer, row, schedules, found, words, next_words):
    schedules(found)
    seen(row, HOUR)
    assert words in cell(viewer, row)
    assert next_words in cell(viewer, row)


def test_what_nobody_has_looked_at_is_unknown_and_green_needs_evidence(viewer, row, schedules):
    schedules(known(nightly(row)))
    completed(row, HOUR)
    found = cell(viewer, row)
    assert "the storage was not looked at yet" in found
    assert reverse("restore-points", args=[row.profile.name, row.name]) in found, "where to look"
    assert "<span>protected</span>" not in found


def test_commands_alone_tell_of_no_backups(viewer, schedules):
    row = make_catalog(backupCreateCmd="echo,x")
    schedules(known(nightly(row)))
    completed(row, HOUR)
    assert "no storage plugin tells of its backups" in cell(viewer, row)


def test_what_cannot_be_asked_of_temporal_is_unknown(viewer, row):
    seen(row, HOUR)
    assert "schedules not known" in cell(viewer, row)


def test_the_page_of_the_configuration_says_the_same_by_the_schedules_that_it_shows(
    viewer, row, schedules, monkeypatch
):
    schedules(known())  # as they were known before somebody made this one
    monkeypatch.setattr(profiles, "schedules_of", lambda *place: SchedulesOf((nightly(row),)))
    seen(row, HOUR / 60)
    page = viewer.get(reverse("config", args=[row.profile.name, row.name])).content.decode()
    facts = page[page.index('<dl class="facts protection">') :]
    facts = facts[: facts.index("</dl>")]
    assert "<span>protected</span>" in facts
    assert "2026-11-25 03:00 UTC" in facts, "the next run"


def test_as_time_goes_by_a_row_is_sent_anew_only_when_it_says_something_else(row, schedules):
    schedules(known(nightly(row)))
    seen(row, HOUR)

    def mark() -> str:
        sections = list_fragments.overview(VIEWER)
        return next(part.mark for section in sections for part in section.rows)

    first = mark()
    catalogue = Catalogue.objects.get()
    Catalogue.objects.filter(pk=catalogue.pk).update(trouble="it is locked")
    assert mark() != first
    Catalogue.objects.filter(pk=catalogue.pk).update(trouble="")
    assert mark() == first
