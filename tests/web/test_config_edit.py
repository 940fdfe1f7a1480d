"""The editor: made from what plugins declare, checked while it is typed, and never showing a secret."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests.services.published import publish_all
from tests.web.test_control import login
from workflows_app.models import AuditEntry, BackupConfig, PluginRecord, Profile
from workflows_app.services.editing import config_edits
from workflows_app.services.people.permissions import command_line
from workflows_app.web.editors.form_fields import field_id

pytestmark = pytest.mark.django_db

PLANTED = "correct-horse-battery"
HTMX = {"HX-Request": "true"}
POLICY = {"Policies.0.Policy": "daily", "Policies.0.BackupRetention": "5"}
FILES = {
    "name": "orders",
    "StoragePlugin": "filesystem",
    "StoragePluginParameters.BackupSrcPaths": "/srv",
    "StoragePluginParameters.BackupDestPath": "/backup",
    "JobRetention": "50",
    **POLICY,
}
VAULT = {
    "AppPlugin": "vault",
    "AppPluginParameters.Opening": PLANTED,
    "AppPluginParameters.Host": "h",
}
SAVE = {"save": "yes"}


@pytest.fixture(autouse=True)
def setting_up(settings) -> None:
    settings.FOSSUL_SECRETS_KEYS = ["the first key"]
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"
    publish_all()


@pytest.fixture
def admin(client: Client) -> Client:
    login(client, "admin")
    return client


@pytest.fixture
def profile() -> str:
    return Profile.objects.create(name=f"p-{uuid4().hex[:8]}").name


def new(profile: str) -> str:
    return reverse("new-config", args=[profile])


def made(admin: Client, profile: str, **more: str) -> tuple[BackupConfig, str]:
    """A configuration made in the browser, and the address of its editor."""
    answer = admin.post(new(profile), FILES | more | SAVE)
    assert answer.status_code == 302, answer.content.decode()
    return BackupConfig.objects.get(profile__name=profile), reverse("edit-config", args=[profile, "orders"])


def parameters(row: BackupConfig, family: str = "app") -> dict[str, str]:
    edit = config_edits.open_edit(command_line("tests"), row.profile.name, row.name)
    return getattr(edit.configuration.config, f"{family}_plugin_parameters")


def error_at(page: str, name: str) -> str:
    """What stands at the field of that name, as text."""
    found = re.search(rf'<p id="{re.escape(field_id(name))}-error"[^>]*>(.*?)</p>', page, re.DOTALL)
    assert found, f"no place for errors of {name}"
    return re.sub(r"<[^>]+>", "", found[1])


def input_of(page: str, name: str) -> str:
    """The tag of the input of that name."""
    found = re.search(rf'<input[^>]* name="{re.escape(name)}"[^>]*>', page)
    assert found, f"no input {name}"
    return found[0]


def test_the_form_has_what_the_plugins_declare(admin, profile):
    page = admin.get(new(profile), {"template": "files"}).content.decode()
    assert "What to back up" in page
    assert 'aria-required="true"' in input_of(page, "StoragePluginParameters.BackupSrcPaths")
    assert 'placeholder="3"' in input_of(page, "StoragePluginParameters.CompressionLevel")
    assert '<option value="filesystem">' in page
    assert 'value="filesystem"' in input_of(page, "StoragePlugin")


def test_what_may_be_listed_is_chosen_and_a_reference_is_typed(admin, profile):
    page = admin.get(new(profile), {"template": "files"}).content.decode()
    name = "StoragePluginParameters.Unchanged"
    assert f'<select id="{field_id(name)}" name="{name}"' in page
    assert '<option value="">default: metadata</option>' in page
    assert re.search('<option value="hash" ?>hash</option>', page)
    assert 'inputmode="numeric"' in input_of(page, "StoragePluginParameters.CompressionLevel")
    _, address = made(admin, profile, **{name: "env:UNCHANGED"})
    assert 'value="env:UNCHANGED"' in input_of(admin.get(address).content.decode(), name)


@pytest.mark.parametrize(("name", "value", "words"), [
    ("CompressionLevel", "20", "is not a whole number from 1 to 19"),
    ("Unchanged", "never", "is none of metadata, hash"),
])  # fmt: skip
def test_a_value_that_the_plugin_would_refuse_is_refused_when_it_is_saved(admin, profile, name, value, words):
    setting = f"StoragePluginParameters.{name}"
    answer = admin.post(new(profile), FILES | {setting: value} | SAVE)
    assert words in error_at(answer.content.decode(), setting)
    assert not BackupConfig.objects.filter(profile__name=profile).exists()


def test_a_configuration_is_made_and_its_page_names_the_version(admin, profile):
    row, _ = made(admin, profile)
    assert row.settings["storagePluginParameters"] == {"BackupSrcPaths": "/srv", "BackupDestPath": "/backup"}
    assert row.settings["jobRetention"] == 50
    assert [(p.name, p.keep_backups) for p in row.policies.all()] == [("daily", 5)]
    page = admin.get(reverse("config", args=[profile, "orders"])).content.decode()
    assert "This is version 1." in page
    assert "Nothing is backed up yet." in page


@pytest.mark.parametrize(("change", "name", "words"), [
    ({"name": ""}, "name", "give the configuration a name"),
    ({"name": "two words"}, "name", "is not a name"),
    ({"StoragePluginParameters.BackupSrcPaths": ""}, "StoragePluginParameters.BackupSrcPaths", "needs it"),
    ({"Policies.0.Policy": "with-dash"}, "Policies.0.Policy", "is not a policy name"),
    ({"Policies.0.BackupRetention": ""}, "Policies.0.BackupRetention", "say how many"),
    ({"Policies.0.BackupRetention": "0"}, "Policies.0.BackupRetention", "from 1"),
    ({"Policies.0.BackupRetention": "9999999999"}, "Policies.0.BackupRetention", "whole number"),
    ({"Policies.0.BackupRetention": "٣"}, "Policies.0.BackupRetention", "whole number"),
    ({"Policies.0.ArchiveRetention": "-1"}, "Policies.0.ArchiveRetention", "whole number"),
    ({"Policies.7.Policy": "daily", "Policies.7.BackupRetention": "1"}, "Policies.7.Policy", "another"),
    ({"JobRetention": "many"}, "JobRetention", "whole number"),
    ({"AppPlugin": "../x"}, "AppPlugin", "is not a name"),
    ({"AppPlugin": "safe", "AppRow.0.Value": "x"}, "AppRow.0.Value", "name the parameter"),
    ({"AppPlugin": "safe", "AppRow.0.Name": "a b", "AppRow.0.Value": "x"}, "AppRow.0.Value", "spaces"),
    ({"AppPlugin": "safe", "AppPluginParameters.Host": "a\0b"}, "AppPluginParameters.Host", "NUL"),
    ({"RestoreCmd": ",x"}, "RestoreCmd", "names no program"),
    ({"description": "x" * 201}, "description", "up to 200"),
])  # fmt: skip
def test_an_error_stands_at_its_field_while_typing_and_when_saving(admin, profile, change, name, words):
    typed = admin.post(new(profile), FILES | change, headers=HTMX)
    assert typed.status_code == 200
    assert words in error_at(typed.content.decode(), name)
    saved = admin.post(new(profile), FILES | change | SAVE)
    assert saved.status_code == 422
    page = saved.content.decode()
    assert "Nothing was saved." in page
    if ".7." not in name:
        # Rows are numbered anew on a new page.
        assert words in error_at(page, name)
    assert not BackupConfig.objects.exists()
    assert not AuditEntry.objects.exists()


def test_typing_saves_nothing_and_shows_the_toml(admin, profile):
    page = admin.post(new(profile), FILES | VAULT, headers=HTMX).content.decode()
    assert "Nothing is wrong with it." in page
    assert "BackupDestPath = &quot;/backup&quot;" in page
    assert "<form" not in page, "what somebody types into is left alone"
    assert PLANTED not in page
    assert not BackupConfig.objects.exists()


def test_a_secret_is_sealed_and_never_rendered(admin, profile):
    row, edit = made(admin, profile, **VAULT)
    assert PLANTED not in str(row.settings)
    addresses = [
        edit,
        reverse("config", args=[profile, "orders"]),
        reverse("config-history", args=[profile, "orders"]),
    ]
    for address in addresses:
        page = admin.get(address).content.decode()
        assert PLANTED not in page
        assert "sealed:" not in page
    tag = input_of(admin.get(edit).content.decode(), "AppPluginParameters.Opening")
    assert 'type="password"' in tag
    assert "value=" not in tag


def test_a_refused_page_does_not_render_a_typed_secret(admin, profile):
    typed = {
        "AppRow.0.Name": "Password",
        "AppRow.0.Value": "typed-just-now",
        "RestoreCmd": "x,--token,typed-just-now",
    }
    answer = admin.post(new(profile), FILES | VAULT | typed | {"name": ""} | SAVE)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert PLANTED not in page
    assert "typed-just-now" not in page


def test_an_empty_secret_keeps_the_stored_one_and_a_typed_one_replaces_it(admin, profile):
    row, edit = made(admin, profile, **VAULT)
    again = FILES | {
        "AppPlugin": "vault",
        "AppPluginParameters.Opening": "",
        "AppPluginParameters.Host": "other",
    }
    assert admin.post(edit, again | SAVE | {"opened": "1"}).status_code == 302
    assert parameters(row) == {"Opening": PLANTED, "Host": "other"}
    again |= {"AppPluginParameters.Opening": "a-new-one"}
    assert admin.post(edit, again | SAVE | {"opened": "2"}).status_code == 302
    assert parameters(row) == {"Opening": "a-new-one", "Host": "other"}
    again |= {"AppPluginParameters.Opening": "", "Remove.AppPluginParameters.Opening": "yes"}
    assert admin.post(edit, again | SAVE | {"opened": "3"}).status_code == 302
    assert parameters(row) == {"Host": "other"}


def test_a_secret_does_not_go_to_another_plugin(admin, profile):
    row, edit = made(admin, profile, **VAULT)
    change = FILES | {"AppPlugin": "safe", "AppPlugin.Before": "vault", "AppPluginParameters.Host": "h"}
    assert admin.post(edit, change | SAVE | {"opened": "1"}).status_code == 302
    assert parameters(row) == {"Host": "h"}


def test_a_command_with_a_credential_is_masked_and_kept(admin, profile):
    line = f"curl,--token,{PLANTED}"
    row, edit = made(admin, profile, RestoreCmd=line)
    page = admin.get(edit).content.decode()
    assert PLANTED not in page
    assert "curl,--token,***" in page
    assert admin.post(edit, FILES | {"RestoreCmd": ""} | SAVE | {"opened": "1"}).status_code == 302
    row.refresh_from_db()
    assert row.settings["restoreCmd"] == line


def test_parameters_that_nobody_declares_are_kept_as_rows(admin, profile):
    rows = {"AppPlugin": "safe", "AppRow.0.Name": "Port", "AppRow.0.Value": "5432"}
    row, edit = made(admin, profile, **rows)
    assert parameters(row) == {"Port": "5432"}
    page = admin.get(edit).content.decode()
    assert 'value="5432"' in input_of(page, "AppRow.0.Value")
    assert admin.post(edit, FILES | {"AppPlugin": "safe"} | SAVE | {"opened": "1"}).status_code == 302
    assert parameters(row) == {}


def test_a_value_of_several_lines_survives_the_form(admin, profile):
    row, edit = made(admin, profile, **{"AppPlugin": "safe", "AppPluginParameters.Host": "one\r\ntwo"})
    assert parameters(row) == {"Host": "one\ntwo"}
    assert "one\ntwo</textarea>" in admin.get(edit).content.decode()


def test_another_plugin_brings_its_own_fields(admin, profile):
    typed = FILES | VAULT | {"AppPlugin": "safe", "AppPlugin.Before": "vault", "family": "App"}
    page = admin.post(new(profile), typed, headers=HTMX).content.decode()
    assert 'id="family-App"' in page
    assert "Opening" not in page
    assert 'value="h"' in input_of(page, "AppPluginParameters.Host")
    assert PLANTED not in page
    assert admin.post(new(profile), FILES | {"family": "Nonsense"}, headers=HTMX).status_code == 404


def test_a_plugin_that_no_worker_has_is_a_warning_and_no_error(admin, profile):
    page = admin.post(new(profile), FILES | {"AppPlugin": "acme"}, headers=HTMX).content.decode()
    assert "No worker has told of an app plugin" in page
    assert "Nothing is wrong with it." in page
    made(admin, profile, AppPlugin="acme")


def test_a_starter_names_what_to_fill_in_though_no_worker_declares_it(admin, profile):
    page = admin.get(new(profile), {"template": "kubernetes"}).content.decode()
    assert 'value="csi"' in input_of(page, "StoragePlugin")
    assert 'value="PvcNames"' in page
    sent = FILES | {"StoragePlugin": "csi", "StorageRow.0.Name": "PvcNames", "StorageRow.0.Value": "data"}
    sent |= {"StorageRow.1.Name": "SnapshotClass", "StorageRow.1.Value": "", "template": "kubernetes"}
    sent = {name: value for name, value in sent.items() if "Parameters." not in name}
    assert admin.post(new(profile), sent | SAVE).status_code == 302
    row = BackupConfig.objects.get(profile__name=profile)
    assert parameters(row, "storage") == {"PvcNames": "data"}
    assert row.settings["accessWithinCluster"] == "false"


def test_without_any_worker_the_form_says_so(admin, profile):
    PluginRecord.objects.all().delete()
    page = admin.get(new(profile)).content.decode()
    assert "No worker has told of its plugins yet" in page
    assert "every 2s" in page
    waiting = FILES | {"family": "Storage", "waits": "yes"}
    assert admin.post(new(profile), waiting, headers=HTMX).status_code == 204
    publish_all()
    told = admin.post(new(profile), waiting, headers=HTMX).content.decode()
    assert "What to back up" in told
    assert 'value="/srv"' in input_of(told, "StoragePluginParameters.BackupSrcPaths")
    assert "every 2s" not in told
    typed = admin.post(new(profile), FILES | {"StoragePlugin.Waits": "yes"}, headers=HTMX).content.decode()
    assert "What to back up" in typed, "whoever types gets the fields, too"
    assert "What to back up" not in admin.post(new(profile), FILES, headers=HTMX).content.decode()


def test_a_further_row_gets_a_number_of_its_own(admin, profile):
    rows = {"Policies.4.Policy": "", "AppPlugin": "safe", "AppRow.2.Name": "x", "AppRow.2.Value": "y"}
    page = admin.post(new(profile), FILES | rows | {"more": "policies"}, headers=HTMX).content.decode()
    assert 'name="Policies.5.Policy"' in page
    assert page.count("<select") == 1
    page = admin.post(new(profile), FILES | rows | {"more": "App"}, headers=HTMX).content.decode()
    assert 'name="AppRow.3.Name"' in page


def test_the_second_of_two_is_told_shown_the_difference_and_may_insist(admin, profile):
    row, edit = made(admin, profile)
    hers = FILES | {"JobRetention": "7"}
    mine = FILES | {"JobRetention": "9"}
    assert admin.post(edit, hers | SAVE | {"opened": "1"}).status_code == 302
    answer = admin.post(edit, mine | SAVE | {"opened": "1"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "saved version 2 after you opened version 1" in page
    assert "-JobRetention = 50" in page
    assert "+JobRetention = 9" in page
    assert 'name="opened" value="2"' in page
    row.refresh_from_db()
    assert row.settings["jobRetention"] == 7
    live = admin.post(edit, mine | SAVE | {"opened": "1"}, headers=HTMX).content.decode()
    assert 'name="opened" value="2" hx-swap-oob="true"' in live
    assert admin.post(edit, mine | SAVE | {"opened": "2"}).status_code == 302
    row.refresh_from_db()
    assert (row.settings["jobRetention"], row.version) == (9, 3)


def test_saving_without_a_change_says_so(admin, profile):
    row, edit = made(admin, profile)
    answer = admin.post(edit, FILES | SAVE | {"opened": "1"}, follow=True)
    assert "Nothing was different" in answer.content.decode()
    row.refresh_from_db()
    assert row.version == 1


def test_saving_by_script_goes_to_the_configuration(admin, profile):
    answer = admin.post(new(profile), FILES | SAVE, headers=HTMX)
    assert answer.headers["HX-Redirect"] == reverse("config", args=[profile, "orders"])


def test_a_plan_that_no_longer_fits_can_be_dropped_here(admin, profile):
    row, edit = made(admin, profile, AppPlugin="safe")
    order = ["quiesce-plugin", "backup-plugin", "unquiesce-plugin", "job-retention", "backup-retention"]
    BackupConfig.objects.update(plan={"stages": [[key] for key in order]})
    answer = admin.post(edit, FILES | {"AppPlugin": ""} | SAVE | {"opened": "1"})
    assert answer.status_code == 422
    assert "quiesce-plugin" in answer.content.decode()
    dropped = FILES | {"AppPlugin": "", "Plan.Reset": "yes"}
    assert admin.post(edit, dropped | SAVE | {"opened": "1"}).status_code == 302
    row.refresh_from_db()
    assert row.plan == {}


@pytest.mark.parametrize("group", ["viewer", "operator"])
def test_only_who_may_configure_may_look_or_save(client, profile, group):
    login(client, group)
    for act in (lambda: client.get(new(profile)), lambda: client.post(new(profile), FILES | SAVE)):
        answer = act()
        assert answer.status_code == 403
        assert "change configurations" in answer.content.decode()
    assert not BackupConfig.objects.exists()


def test_hostile_text_is_text(admin, profile):
    hostile = "<script>alert(1)</script>\u202e"
    made(admin, profile, description=hostile, **{"AppPlugin": "safe", "AppPluginParameters.Host": hostile})
    page = admin.get(reverse("edit-config", args=[profile, "orders"])).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\u202e" in page, "in the TOML, where it can be changed"


def test_unknown_places_are_not_found(admin, profile):
    assert admin.get(new("nonesuch")).status_code == 404
    assert admin.get(reverse("edit-config", args=[profile, "nonesuch"])).status_code == 404
