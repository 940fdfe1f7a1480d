"""The pages that manage configurations and profiles, their history, and who works."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import ADMIN, make_catalog, make_run
from tests.services.published import publish_all
from tests.web.test_control import login
from workflows_app.models import BackupConfig, Policy, Profile
from workflows_app.services.configurations import versions
from workflows_app.services.editing import config_places, profile_edits

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def temporal_is_away(settings) -> None:
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    publish_all()


@pytest.fixture
def admin(client: Client) -> Client:
    login(client, "admin")
    return client


@pytest.fixture
def row() -> BackupConfig:
    row = make_catalog(
        storagePlugin="filesystem", storagePluginParameters={"BackupDestPath": "/b", "BackupSrcPaths": "/s"}
    )
    versions.keep(ADMIN, row, "first")
    BackupConfig.objects.filter(pk=row.pk).update(description="second words")
    versions.keep(ADMIN, row, "second")
    return row


def at(name: str, row: BackupConfig, *more: object) -> str:
    return reverse(name, args=[row.profile.name, row.name, *more])


def test_the_page_says_what_a_deletion_takes_and_leaves(admin, row):
    page = admin.get(at("manage-config", row)).content.decode()
    assert "2 policies (daily, weekly)" in page
    assert "2 versions" in page
    assert "0 runs" in page
    assert "Temporal does not answer" in page, "of schedules nothing is known"


def test_everything_can_be_done_from_its_page(admin, row):
    profile = row.profile.name
    manage = at("manage-config", row)
    assert admin.post(manage, {"do": "duplicate", "profile": profile, "name": "copy"}).url.endswith("/copy/")
    assert admin.post(manage, {"do": "disable"}).status_code == 302
    page = admin.get(at("config", row)).content.decode()
    assert "Disabled." in page
    assert "Run backup" not in page
    assert admin.post(manage, {"do": "enable"}).status_code == 302
    assert "Run backup" in admin.get(at("config", row)).content.decode()
    assert admin.post(manage, {"do": "rename", "name": "renamed"}).url.endswith("/renamed/")
    renamed = reverse("manage-config", args=[profile, "renamed"])
    assert admin.post(renamed, {"do": "delete", "confirmation": "renamed"}).status_code == 302
    assert list(BackupConfig.objects.values_list("name", flat=True)) == ["copy"]


@pytest.mark.parametrize(("typed", "status", "words"), [
    ({"do": "rename", "name": "a/b"}, 422, "is not a name"),
    ({"do": "delete", "confirmation": "no"}, 422, "to confirm"),
    ({"do": "nonsense"}, 404, "can be renamed"),
])  # fmt: skip
def test_a_refusal_says_why_and_changes_nothing(admin, row, typed, status, words):
    answer = admin.post(at("manage-config", row), typed)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert BackupConfig.objects.filter(pk=row.pk, name=row.name).exists()


def test_an_open_run_is_named_when_it_is_in_the_way(admin, row):
    run = make_run(profile=row.profile.name, config=row.name)
    answer = admin.post(at("manage-config", row), {"do": "delete", "confirmation": row.name})
    assert answer.status_code == 409
    assert f"Run {run.pk} " in answer.content.decode()


def test_a_disabled_configuration_refuses_a_start_with_words(client, row):
    config_places.switch_config(ADMIN, row.profile.name, row.name, disabled=True)
    login(client, "operator")
    answer = client.post(at("start-backup", row, "daily"))
    assert answer.status_code == 409
    assert "is disabled: no backup of it starts" in answer.content.decode()


def test_the_history_shows_each_change_and_goes_back_with_one_click(admin, row):
    page = admin.get(at("config-history", row)).content.decode()
    assert "Version 2" in page
    assert "+description: second words" in page
    assert "Go back" in page
    assert admin.post(at("go-back", row, 1), {"opened": "2"}).status_code == 302
    row.refresh_from_db()
    assert (row.description, row.version) == ("", 3)
    refused = admin.post(at("go-back", row, 2), {"opened": "2"})
    assert refused.status_code == 409
    assert "saved version 3" in refused.content.decode()


def test_going_back_says_first_what_policies_that_are_gone_then_leave(admin, row):
    Policy.objects.create(config=row, name="hourly", keep_backups=3, position=3)
    versions.keep(ADMIN, row, "hourly, too")
    asked = admin.post(at("go-back", row, 2), {"opened": "3"})
    page = asked.content.decode()
    assert asked.status_code == 409
    assert "<strong>Policy hourly would be gone, and nothing was saved yet.</strong>" in page
    assert 'value="hourly">' in page[page.index("gone-confirmed") :]
    assert row.policies.count() == 3
    assert admin.post(at("go-back", row, 2), {"opened": "3", "Gone.confirmed": "daily"}).status_code == 409
    assert admin.post(at("go-back", row, 2), {"opened": "3", "Gone.confirmed": "hourly"}).status_code == 302
    assert [policy.name for policy in row.policies.all()] == ["daily", "weekly"]


def test_a_policy_is_renamed_from_the_page_that_says_what_keeps_its_old_name(admin, row):
    page = admin.get(at("manage-config", row)).content.decode()
    assert "Its rules, runs and schedules follow the new name." in page
    sent = {"do": "rename-policy", "policy": "daily", "name": "weekly"}
    refused = admin.post(at("manage-config", row), sent)
    assert refused.status_code == 422
    assert "there is a policy &#x27;weekly&#x27; already" in refused.content.decode()
    assert admin.post(at("manage-config", row), sent | {"name": "nightly"}).status_code == 302
    assert [policy.name for policy in row.policies.all()] == ["nightly", "weekly"]


def test_a_viewer_sees_the_history_and_may_not_go_back(client, row):
    login(client, "viewer")
    page = client.get(at("config-history", row)).content.decode()
    assert "+description: second words" in page
    assert "Go back" not in page
    assert client.post(at("go-back", row, 1), {"opened": "2"}).status_code == 403
    assert client.get(at("manage-config", row)).status_code == 403
    row.refresh_from_db()
    assert row.version == 2


def test_a_run_names_its_version_and_leads_to_it(admin, row):
    for number in range(3, 45):
        versions.keep(ADMIN, row, f"change {number}")
    run = make_run(profile=row.profile.name, config=row.name, version=5)
    page = admin.get(reverse("run", args=[run.pk])).content.decode()
    address = f"{at('config-history', row)}?version=5"
    assert f'href="{address}#version-5"' in page
    assert 'id="version-5"' in admin.get(address).content.decode()


def test_a_profile_is_made_and_leads_to_its_first_configuration(admin):
    name = f"p-{uuid4().hex[:8]}"
    answer = admin.post(reverse("new-profile"), {"name": name, "description": "words"})
    assert answer.url == reverse("new-config", args=[name])
    refused = admin.post(reverse("new-profile"), {"name": name})
    assert refused.status_code == 422
    assert "already" in refused.content.decode()
    assert f'value="{name}"' in refused.content.decode()


def test_a_profile_is_managed_from_its_page(admin, row):
    edit = reverse("edit-profile", args=[row.profile.name])
    assert row.name in admin.get(edit).content.decode()
    assert admin.post(edit, {"do": "duplicate", "name": "copy"}).status_code == 302
    assert admin.post(edit, {"do": "disable"}).status_code == 302
    assert "disabled" in admin.get(reverse("profiles")).content.decode()
    assert admin.post(edit, {"do": "enable"}).status_code == 302
    assert admin.post(edit, {"do": "change", "name": "renamed", "description": "d"}).status_code == 302
    gone = reverse("edit-profile", args=["renamed"])
    assert admin.post(gone, {"do": "delete", "confirmation": "no"}).status_code == 422
    assert admin.post(gone, {"do": "delete", "confirmation": "renamed"}).status_code == 302
    assert list(Profile.objects.values_list("name", flat=True)) == ["copy"]


def test_who_describes_a_profile_after_somebody_else_is_told(admin, row):
    edit = reverse("edit-profile", args=[row.profile.name])
    change = {"do": "change", "name": row.profile.name}
    assert admin.post(edit, change | {"opened": "", "description": "theirs"}).status_code == 302
    told = admin.post(edit, change | {"opened": "", "description": "mine"})
    page = told.content.decode()
    assert told.status_code == 409
    assert "it is &#x27;theirs&#x27; now" in page
    assert 'name="opened" value="theirs"' in page
    assert 'value="mine"' in page
    assert Profile.objects.get().description == "theirs"
    assert admin.post(edit, change | {"opened": "theirs", "description": "mine"}).status_code == 302
    assert Profile.objects.get().description == "mine"


@pytest.mark.parametrize("group", ["viewer", "operator"])
def test_profiles_are_for_who_may_configure(client, group):
    login(client, group)
    profile_edits.create_profile(ADMIN, "there", "")
    assert client.get(reverse("new-profile")).status_code == 403
    assert client.post(reverse("new-profile"), {"name": "x"}).status_code == 403
    assert client.post(reverse("edit-profile", args=["there"]), {"do": "disable"}).status_code == 403
    page = client.get(reverse("profiles")).content.decode()
    assert "New profile" not in page
    assert list(Profile.objects.values_list("name", "disabled")) == [("there", False)]


def test_the_plugins_are_shown_while_nobody_knows_the_workers(client):
    login(client, "viewer")
    page = client.get(reverse("workers")).content.decode()
    assert "Not known." in page
    assert "vault" in page
    assert "BackupSrcPaths" in page
    assert client.get(reverse("workers")).status_code == 200


def test_profiles_and_configurations_may_have_the_names_of_pages(admin):
    for name in ("new", "edit", "history", "manage"):
        make_catalog(name, name)
        assert f"<h1>{name}</h1>" in admin.get(reverse("profile", args=[name])).content.decode()
        assert f"<h1>{name}</h1>" in admin.get(reverse("config", args=[name, name])).content.decode()


def test_a_configuration_whose_profile_is_disabled_says_so_and_keeps_its_own_switch(admin, row):
    profile_edits.switch_profile(ADMIN, row.profile.name, disabled=True)
    page = " ".join(admin.get(at("config", row)).content.decode().split())
    assert "its profile</a> is disabled. What exists can be restored." in page
    manage = admin.get(at("manage-config", row)).content.decode()
    assert "<strong>Its profile is disabled.</strong>" in manage
    assert f"Disable {row.name}" in manage, "its own switch is on"
    assert admin.post(at("manage-config", row), {"do": "disable"}).status_code == 302
    manage = admin.get(at("manage-config", row)).content.decode()
    assert f"Enable {row.name}" in manage
    assert "Backups can start again, once its profile is enabled." in manage
