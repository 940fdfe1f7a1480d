"""*Test* buttons: in the editor for what is typed, on a configuration's page for what is stored."""

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.urls import reverse

from tests.conftest import running_worker
from tests.factories import make_catalog
from tests.services.published import publish_all
from tests.web.test_config_edit import FILES, HTMX
from tests.web.test_control import login
from workflows_app.contracts.checks import CheckInput
from workflows_app.domain.config import Config
from workflows_app.domain.findings import CheckedParts, CheckPart, Findings, bad, doubtful, good
from workflows_app.domain.results import Level, Message, Result
from workflows_app.models import AuditEntry, BackupConfig, Profile
from workflows_app.services.configurations import checks
from workflows_app.services.configurations.check_seats import Asking, take_seat
from workflows_app.web.editors.check_views import check_view
from workflows_app.web.editors.form_fields import field_id

NOW = datetime(2026, 11, 24, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def keys(settings) -> None:
    settings.FOSSUL_SECRETS_KEYS = ["the first key"]


@pytest.fixture
def profile() -> str:
    return Profile.objects.create(name="home").name


def words(page: str) -> str:
    """A page as text, white space made one."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def post(client: Client, group: str, address: str, given: dict[str, str], **headers: str):
    login(client, group)
    return client.post(address, given, headers=headers)


async def asked(client: Client, group: str, address: str, given: dict[str, str], **headers: str):
    """The answer to a form that is sent while a worker is there."""
    return await sync_to_async(post)(client, group, address, given, **headers)


async def test_what_is_typed_is_tested_with_and_without_javascript(client, temporal_settings, tmp_path: Path):
    await sync_to_async(Profile.objects.create)(name="home")
    await sync_to_async(publish_all)()
    typed = FILES | {
        "StoragePluginParameters.BackupSrcPaths": str(tmp_path / "missing"),
        "StoragePluginParameters.BackupDestPath": str(tmp_path),
        "test": "all",
    }
    address = reverse("new-config", args=["home"])
    async with running_worker(temporal_settings):
        fragment = await asked(client, "admin", address, typed, **HTMX)
        page = await sync_to_async(client.post)(address, typed)
    told = words(fragment.content.decode())
    assert "Cannot read the source" in told
    assert "Storage plugin bad" in told
    assert "<html" not in fragment.content.decode()
    place = field_id("StoragePluginParameters.BackupSrcPaths")
    assert f'href="#{place}"' in fragment.content.decode()
    whole = page.content.decode()
    assert page.status_code == 200
    assert "Cannot read the source" in words(whole)
    assert str(tmp_path / "missing") in whole, "what was typed is still there"
    assert f'id="{place}"' in whole
    assert not await BackupConfig.objects.aexists()
    assert not await AuditEntry.objects.aexists()


async def test_a_stored_configuration_is_tested_from_its_page(client, temporal_settings, tmp_path: Path):
    row = await sync_to_async(make_catalog)(
        storagePlugin="filesystem",
        storagePluginParameters={"BackupSrcPaths": str(tmp_path), "BackupDestPath": "/proc/backups"},
        appQuiesceCmd="no-such-program",
    )
    address = reverse("test-config", args=[row.profile.name, row.name])
    async with running_worker(temporal_settings):
        answer = await asked(client, "operator", address, {})
    assert answer.status_code == 200
    told = words(answer.content.decode())
    assert "BackupDestPath /proc cannot be written" in told
    assert "AppQuiesceCmd 'no-such-program' is not in the $PATH" in told
    assert 'href="#f-' not in answer.content.decode(), "there are no inputs on this page"


def test_without_temporal_that_is_said_where_the_findings_would_be(client, settings, profile):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    answer = post(client, "admin", reverse("new-config", args=[profile]), FILES | {"test": "all"}, **HTMX)
    assert answer.status_code == 200
    assert "Not tested. Temporal at 127.0.0.1:1 does not answer" in words(answer.content.decode())


async def test_when_as_many_run_as_may_that_is_said_where_the_findings_would_be(
    client, temporal_settings, temporal_server, settings
):
    await sync_to_async(Profile.objects.create)(name="home")
    settings.FOSSUL_TESTS_AT_ONCE = 1
    other = Asking("grace", "home", "letters", "mark")
    given = CheckInput(config=Config(), parts=(CheckPart.APP,))
    await take_seat(temporal_server, given, other, timedelta(minutes=1))
    address = reverse("new-config", args=["home"])
    fragment = await asked(client, "admin", address, FILES | {"test": "all"}, **HTMX)
    page = await sync_to_async(client.post)(address, FILES | {"test": "all"})
    for answer in (fragment, page):
        assert answer.status_code == 200
        told = words(answer.content.decode())
        assert "Not tested. As many tests of configurations run now as may at once (1)" in told
        assert "Try again in some seconds." in told
    assert 'value="orders"' in page.content.decode(), "what was typed is still there"


async def test_a_second_test_of_the_same_configuration_says_that_the_first_one_runs(
    client, temporal_settings, temporal_server
):
    row = await sync_to_async(make_catalog)(appQuiesceCmd="true")
    address = reverse("test-config", args=[row.profile.name, row.name])
    given = CheckInput(config=Config(), parts=(CheckPart.APP,))
    mine = Asking("operator-user", row.profile.name, row.name, "of what was typed in the editor")
    await take_seat(temporal_server, given, mine, timedelta(minutes=1))
    answer = await asked(client, "operator", address, {})
    assert f"Not tested. Your test of {row.profile.name}/{row.name} that began" in words(
        answer.content.decode()
    )


def test_a_form_and_a_toml_that_differ_are_not_tested(client, settings, profile):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    typed = FILES | {"test": "all", "Toml.Main": "this is [ no TOML"}
    answer = post(client, "admin", reverse("new-config", args=[profile]), typed, **HTMX)
    assert "say first which of them counts" in words(answer.content.decode())


@pytest.mark.parametrize(("asked", "status"), [("tape", 422), ("", 422)])
def test_a_part_that_there_is_not_is_refused(client, settings, profile, asked, status):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    answer = post(client, "admin", reverse("new-config", args=[profile]), FILES | {"test": asked})
    assert answer.status_code == status
    assert "is no part of a configuration: app, storage, archive, commands" in words(answer.content.decode())


def test_one_button_tests_one_part(client, profile, monkeypatch):
    seen = []

    async def note(actor, profile, name, configuration, parts):
        seen.append((profile, name, configuration.config.storage_plugin, tuple(parts)))
        return CheckedParts(parts={CheckPart.STORAGE: Findings(findings=(good("fine"),))})

    monkeypatch.setattr(checks, "check_draft", note)
    answer = post(client, "admin", reverse("new-config", args=[profile]), FILES | {"test": "storage"}, **HTMX)
    assert seen == [(profile, "orders", "filesystem", (CheckPart.STORAGE,))]
    assert "1 good" in words(answer.content.decode())


@pytest.mark.parametrize("group", ["viewer", "operator"])
def test_who_may_not_edit_may_not_test_what_is_typed(client, profile, group):
    answer = post(client, group, reverse("new-config", args=[profile]), FILES | {"test": "all"})
    assert answer.status_code == 403


def test_a_viewer_may_not_test_and_is_offered_no_button(client):
    row = make_catalog()
    address = reverse("test-config", args=[row.profile.name, row.name])
    assert post(client, "viewer", address, {}).status_code == 403
    page = client.get(reverse("config", args=[row.profile.name, row.name])).content.decode()
    assert address not in page


def test_the_page_of_a_configuration_offers_a_test_to_operators(client, settings):
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    row = make_catalog()
    login(client, "operator")
    page = client.get(reverse("config", args=[row.profile.name, row.name])).content.decode()
    address = reverse("test-config", args=[row.profile.name, row.name])
    assert f'action="{address}"' in page
    assert "Test of" in client.get(address).content.decode()
    missing = client.post(reverse("test-config", args=[row.profile.name, "nonesuch"]))
    assert missing.status_code == 404


def test_a_test_needs_the_token_of_the_page():
    row = make_catalog()
    strict = Client(enforce_csrf_checks=True)
    login(strict, "operator")
    assert strict.post(reverse("test-config", args=[row.profile.name, row.name])).status_code == 403


def test_the_worst_comes_first_and_counts():
    failed = Result(code=1, messages=(Message(level=Level.ERROR, message="it hung"),))
    view = check_view(
        CheckedParts(
            parts={
                CheckPart.APP: Findings(findings=(good("a"), doubtful("b", "Host"), bad("c"))),
                CheckPart.COMMANDS: Findings(findings=(good("d", "AppQuiesceCmd"), good("e", "tidy-up"))),
                CheckPart.ARCHIVE: Findings(result=failed),
            }
        ),
        NOW,
    )
    app, commands, archive = view.parts
    assert [row.words for row in app.rows] == ["c", "b", "a"]
    assert app.rows[1].field == field_id("AppPluginParameters.Host")
    assert commands.rows[0].field == field_id("AppQuiesceCmd")
    assert commands.rows[1].field == "", "a step of the plan has no input in the editor"
    assert [row.words for row in archive.rows] == ["it hung"]
    assert view.summary == "2 bad, 1 doubtful, 3 good"
    assert view.status == app.status == archive.status
