"""The pages of schedules: what they show to whom, what they refuse and in which words."""

import time

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_catalog, make_run
from tests.web.test_control import login
from workflows_app.domain.schedules.schedules import ScheduleKey
from workflows_app.models import AuditEntry, BackupConfig, Policy
from workflows_app.services.schedules import schedule_lists
from workflows_app.services.schedules.schedule_lists import Overdue

pytestmark = pytest.mark.django_db(transaction=True)

GIVEN = {
    "name": "nightly",
    "policy": "daily",
    "cron": "30 2 * * MON-FRI",
    "zone": "Europe/Berlin",
    "jitter": "5m",
    "catch_up": "2h",
    "when_busy": "queue",
}


@pytest.fixture
def config() -> BackupConfig:
    return make_catalog()


def new(config: BackupConfig) -> str:
    return reverse("new-schedule", args=[config.profile.name, config.name])


def address(config: BackupConfig, page: str = "schedule") -> str:
    return reverse(page, args=[config.profile.name, config.name, "daily", "nightly"])


def post(client: Client, where: str, **given: str) -> tuple[int, str]:
    answer = client.post(where, given)
    return answer.status_code, answer.content.decode()


def test_a_schedule_is_made_shown_changed_paused_and_deleted(client, config, temporal_settings):
    login(client, "admin")
    assert post(client, new(config), **GIVEN)[0] == 302
    shown = client.get(address(config)).content.decode()
    assert "due at 02:30 on Monday to Friday" in shown
    assert "up to 5 m" in shown
    assert "It has not been due yet." in shown

    editor = client.get(address(config, "edit-schedule")).content.decode()
    assert 'value="30 2 * * MON-FRI"' in editor
    assert 'value="2h"' in editor
    changed = {**GIVEN, "cron": "@daily", "jitter": ""}
    assert post(client, address(config, "edit-schedule"), **changed)[0] == 302
    assert "due at 00:00 every day" in client.get(address(config)).content.decode()

    status, shown = post(client, address(config), do="pause", note=" ")
    assert (status, "say in 1 to 500 characters why it is paused" in shown) == (422, True)
    assert post(client, address(config), do="pause", note="<b>disks</b>")[0] == 302
    assert "&lt;b&gt;disks&lt;/b&gt;" in client.get(address(config)).content.decode()
    status, shown = post(client, address(config), do="backfill", begin="2026-01-02T00:00", end="x")
    assert (status, "is no moment" in shown) == (422, True)

    status, shown = post(client, address(config), do="delete", typed="nightl")
    assert (status, "type the schedule&#x27;s name, nightly" in shown) == (422, True)
    assert post(client, address(config), do="delete", typed="nightly")[0] == 302
    assert client.get(address(config)).status_code == 404


def test_what_is_typed_is_answered_and_makes_nothing(client, config, temporal_settings):
    login(client, "admin")
    form = client.get(f"{new(config)}?policy=weekly").content.decode()
    assert "<option selected>weekly</option>" in form
    assert "Due at 03:00 every day, by the clocks of UTC." in form
    answer = client.post(new(config), {**GIVEN, "check": "yes"}, headers={"HX-Request": "true"})
    said = answer.content.decode()
    assert "<html" not in said
    assert "Due at 02:30 on Monday to Friday, by the clocks of Europe/Berlin." in said
    assert said.count("<li>") == 10
    assert client.get(address(config)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cron": "60 * * * *"}, "end of range (60) above maximum (59): 60"),
        ({"cron": "0 0 30 2 *"}, "no day fits it"),
        ({"zone": "Mars/Olympus"}, "provided bad location"),
        ({"zone": "../../etc/passwd"}, "provided bad location"),
        ({"jitter": "2d"}, "it must be from 0 s to 1 d"),
        ({"catch_up": "soon"}, "is not a duration"),
        ({"catch_up": "10s"}, "it must be from 1 m to 30 d"),
        ({"when_busy": "panic"}, "is neither refuse nor queue"),
        ({"name": "a/b"}, "is not a name"),
        ({"cron": "<script>"}, "expected exactly 5 fields, found 1: [&lt;script&gt;]"),
    ],
)
def test_what_makes_no_sense_is_refused_with_words_and_makes_nothing(
    client, config, temporal_settings, changes, words
):
    login(client, "admin")
    status, shown = post(client, new(config), **{**GIVEN, **changes})
    assert (status, words in shown) == (422, True)
    assert not AuditEntry.objects.exists()
    assert client.get(address(config)).status_code == 404


def test_who_sees_and_may_do_what(client, config, temporal_settings):
    login(client, "admin")
    post(client, new(config), **GIVEN)
    login(client, "operator")
    shown = client.get(address(config)).content.decode()
    assert "Run now" in shown
    assert "Delete nightly" not in shown
    assert client.get(new(config)).status_code == 403
    assert post(client, address(config), do="delete", typed="nightly")[0] == 403
    login(client, "viewer")
    assert "Run now" not in client.get(address(config)).content.decode()
    for do in ("run", "pause", "resume", "backfill"):
        assert post(client, address(config), do=do, note="x")[0] == 403
    assert post(client, address(config, "edit-schedule"), **GIVEN)[0] == 403
    client.logout()
    for page in (address(config), reverse("schedules")):
        assert client.get(page).status_code == 302


def test_an_unknown_use_is_none(client, config, temporal_settings):
    login(client, "admin")
    assert post(client, address(config), do="explode")[0] == 404


def test_with_temporal_away_pages_say_so(client, config, settings):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    login(client, "admin")
    for page in (reverse("schedules"), reverse("config", args=[config.profile.name, config.name])):
        answer = client.get(page)
        assert answer.status_code == 200
        assert "Temporal keeps the schedules and does not answer now" in answer.content.decode()
    assert client.get(address(config)).status_code == 503
    assert post(client, new(config), **GIVEN)[0] == 503


def test_what_is_overdue_needs_a_person(client, config, temporal_settings, monkeypatch):
    due = make_run(profile=config.profile.name, config=config.name, status="COMPLETED").started
    key = ScheduleKey(config.profile.name, config.name, "daily", "nightly")
    monkeypatch.setattr(schedule_lists, "overdue", lambda actor: (Overdue(key, due),))
    login(client, "viewer")
    for page in ("overview", "schedules"):
        shown = client.get(reverse(page)).content.decode()
        assert "Overdue" in shown
        assert "It has not run: no worker has taken it." in shown
        assert address(config) in shown


@pytest.mark.parametrize(("state", "word"), [("SKIPPED", "skipped"), ("MISSED", "missed")])
def test_a_run_that_never_began_says_why(client, config, temporal_settings, state, word):
    run = make_run(
        profile=config.profile.name,
        config=config.name,
        status=state,
        run_id="r",
        failure="The lock was held.",
    )
    run.finished = run.started
    run.save()
    login(client, "viewer")
    for page in (reverse("run", args=[run.pk]), reverse("runs")):
        shown = client.get(page).content.decode()
        assert f"<span>{word}</span>" in shown
        assert "The lock was held." in shown


def test_a_schedule_that_would_start_nothing_says_so_instead_of_a_next_time(
    client, config, temporal_settings
):
    login(client, "admin")
    post(client, new(config), **GIVEN)
    place = {"profile": config.profile.name, "config": config.name}
    pages = (reverse("schedules"), reverse("config", kwargs=place))

    def listed() -> list[str]:
        """What both lists say of it; Temporal's own list follows within a second or so."""
        for _ in range(200):
            shown = [client.get(page).content.decode() for page in pages]
            if all("/daily/nightly/" in page for page in shown):
                return [page[page.index("/daily/nightly/") :] for page in shown]
            time.sleep(0.05)
        pytest.fail("the schedule is not listed")

    assert all("configuration is disabled" not in page for page in listed())
    assert "Run now" in client.get(address(config)).content.decode()

    BackupConfig.objects.filter(pk=config.pk).update(disabled=True)
    for shown in listed():
        row = shown[: shown.index("</tr>")]
        assert "configuration is disabled" in row
        assert "<time" not in row
    detail = client.get(address(config)).content.decode()
    assert "<strong>The configuration is disabled.</strong> What is due is skipped" in detail
    assert "Nothing, while its configuration is disabled." in detail
    assert 'value="run"' not in detail and 'value="backfill"' not in detail

    BackupConfig.objects.filter(pk=config.pk).update(disabled=False)
    Policy.objects.filter(config=config, name="daily").delete()
    for shown in listed():
        row = shown[: shown.index("</tr>")]
        assert "There is no policy daily: what is due fails." in row
        assert "<time" in row
    detail = client.get(address(config)).content.decode()
    assert "<strong>There is no policy daily</strong>" in detail
    assert 'value="run"' not in detail
    assert post(client, address(config), do="delete", typed="nightly")[0] == 302


def test_no_form_is_shown_for_what_cannot_be_scheduled(client, config, settings):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    login(client, "admin")
    BackupConfig.objects.filter(pk=config.pk).update(disabled=True)
    refused = client.get(new(config))
    assert (refused.status_code, "is disabled: enable it" in refused.content.decode()) == (409, True)
    BackupConfig.objects.filter(pk=config.pk).update(disabled=False)
    Policy.objects.filter(config=config).delete()
    refused = client.get(new(config))
    assert (refused.status_code, "has no policy yet" in refused.content.decode()) == (409, True)


def test_nobody_is_told_to_do_what_they_may_not(client, config, settings):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    pages = [reverse("overview"), reverse("runs"), reverse("plan", args=[config.profile.name, config.name])]
    told = ("Run backup</em>", "press <em>Run backup", "Change it here or on the board")
    login(client, "viewer")
    for page in pages:
        shown = client.get(page).content.decode()
        assert not [words for words in told if words in shown], page
    login(client, "admin")
    for page in pages:
        shown = client.get(page).content.decode()
        assert [words for words in told if words in shown], page
