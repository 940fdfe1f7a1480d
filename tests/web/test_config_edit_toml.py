"""The editor's other side: the same configuration as TOML, which leads as well as it follows."""

import html
import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests.services.published import publish_all
from tests.web.test_config_edit import FILES, HTMX, PLANTED, SAVE, VAULT, error_at, input_of, parameters
from tests.web.test_control import login
from workflows_app.models import BackupConfig, ConfigVersion, Profile

pytestmark = pytest.mark.django_db

_INPUT = re.compile(r"<input[^>]*>")
_AREA = re.compile(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', re.DOTALL)
_SELECT = re.compile(r'<select[^>]* name="([^"]+)">(.*?)</select>', re.DOTALL)


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
def row(admin) -> BackupConfig:
    profile = Profile.objects.create(name=f"p-{uuid4().hex[:8]}").name
    answer = admin.post(reverse("new-config", args=[profile]), FILES | VAULT | SAVE)
    assert answer.status_code == 302
    return BackupConfig.objects.get(profile__name=profile)


def edit(row: BackupConfig) -> str:
    return reverse("edit-config", args=[row.profile.name, row.name])


def sent_by(page: str) -> dict[str, str]:
    """What a browser would send of the editor's page, without anything changed."""
    form = page[page.index('id="edit"') :]
    values = {}
    for tag in _INPUT.findall(form):
        found = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if found.get("type") != "checkbox" or tag.rstrip(">").endswith("checked"):
            values[found["name"]] = html.unescape(found.get("value", ""))
    values |= {name: html.unescape(text).replace("\n", "\r\n") for name, text in _AREA.findall(form)}
    for name, options in _SELECT.findall(form):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = chosen[1] if chosen else "refuse"
    values.pop("csrfmiddlewaretoken", None)
    return values


def opened(admin: Client, row: BackupConfig) -> dict[str, str]:
    return sent_by(admin.get(edit(row)).content.decode())


def changed(sent: dict[str, str], part: str, old: str, new: str) -> dict[str, str]:
    name = f"Toml.{part}"
    assert old in sent[name], sent[name]
    return sent | {name: sent[name].replace(old, new)}


def typed(admin: Client, row: BackupConfig, sent: dict[str, str]) -> str:
    return admin.post(edit(row), sent, headers=HTMX).content.decode()


def agreed(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(Agreed\.\w+)" value="(\w+)"', page))


def settings_of(row: BackupConfig) -> dict:
    row.refresh_from_db()
    return row.settings


def test_what_nobody_changed_is_no_change_of_either_side(admin, row):
    sent = opened(admin, row)
    page = typed(admin, row, sent)
    assert "Both sides say the same." in page
    assert "<textarea" not in page
    answer = admin.post(edit(row), sent | SAVE, follow=True)
    assert "Nothing was different" in answer.content.decode()


def test_the_form_follows_the_toml(admin, row):
    sent = changed(opened(admin, row), "Main", "JobRetention = 50", "JobRetention = 9")
    sent = changed(sent, "Storage", "/backup", "/elsewhere")
    page = typed(admin, row, sent)
    assert "the form follows it" in page
    assert 'value="9"' in input_of(page, "JobRetention")
    assert 'value="/elsewhere"' in input_of(page, "StoragePluginParameters.BackupDestPath")
    assert "<textarea" not in page, "what somebody types into is left alone"
    assert settings_of(row)["jobRetention"] == 50, "typing saves nothing"


def test_the_toml_follows_the_form(admin, row):
    page = typed(admin, row, opened(admin, row) | {"JobRetention": "9"})
    assert "the TOML follows it" in page
    assert "JobRetention = 9" in page
    assert 'name="JobRetention"' not in page, "what somebody types into is left alone"


def test_the_toml_alone_is_saved_by_a_plain_post_with_a_version(admin, row):
    sent = changed(opened(admin, row), "Main", "RetentionNumber = 5", "RetentionNumber = 3")
    sent["Toml.Main"] += '\r\n[[BackupRetentions]]\r\nPolicy = "weekly"\r\nRetentionNumber = 2\r\n'
    sent["Toml.Main"] += 'WhenBusy = "queue"\r\n[Plan]\r\nFreezeBudget = "10m"\r\n'
    answer = admin.post(edit(row), sent | SAVE)
    assert answer.status_code == 302
    row.refresh_from_db()
    policies = [(p.name, p.keep_backups, p.when_busy) for p in row.policies.all()]
    assert policies == [("daily", 3, "refuse"), ("weekly", 2, "queue")]
    assert row.plan["freezeBudgetSeconds"] == 600
    assert row.version == 2
    assert 'FreezeBudget = "10m"' in opened(admin, row)["Toml.Main"]


def test_what_the_toml_does_not_hold_stays(admin, row):
    BackupConfig.objects.update(description="the shop")
    row.policies.update(keep_rules={"daily": 7})
    sent = changed(opened(admin, row), "Main", "RetentionNumber = 5", "RetentionNumber = 3")
    assert admin.post(edit(row), sent | SAVE).status_code == 302
    row.refresh_from_db()
    assert row.description == "the shop"
    assert [p.keep_backups for p in row.policies.all()] == [3]
    assert row.policies.get().keep_rules["daily"] == 7


def test_a_masked_secret_stays_a_changed_one_is_replaced_and_a_removed_one_goes(admin, row):
    sent = changed(opened(admin, row), "App", 'Host = "h"', 'Host = "i"')
    assert admin.post(edit(row), sent | SAVE).status_code == 302
    assert parameters(row) == {"Opening": PLANTED, "Host": "i"}
    sent = changed(opened(admin, row), "App", 'Opening = "***"', 'Opening = "a-new-one"')
    assert admin.post(edit(row), sent | SAVE).status_code == 302
    assert parameters(row) == {"Opening": "a-new-one", "Host": "i"}
    assert "a-new-one" not in str(settings_of(row))
    sent = changed(opened(admin, row), "App", 'Opening = "***"\r\n', "")
    page = typed(admin, row, sent)
    assert "checked" in input_of(page, "Remove.AppPluginParameters.Opening")
    assert admin.post(edit(row), sent | SAVE).status_code == 302
    assert parameters(row) == {"Host": "i"}


def test_a_secret_typed_in_the_toml_outlives_changes_of_the_form_and_is_never_sent_back(admin, row):
    sent = changed(opened(admin, row), "App", 'Opening = "***"', 'Opening = "a-new-one"')
    page = typed(admin, row, changed(sent, "App", 'Host = "h"', 'Host = "i"'))
    assert "a-new-one" not in page
    assert "The TOML gives it a new value" in page
    assert "data-moved" in input_of(page, "AppPluginParameters.Opening")
    sent = changed(sent, "App", 'Host = "h"', 'Host = "i"') | agreed(page)
    sent |= {"AppPluginParameters.Host": "i", "JobRetention": "9"}
    page = typed(admin, row, sent)
    assert "the TOML follows it" in page
    assert 'data-kept="Opening"' in page
    assert "a-new-one" not in page
    # As the page's script does: what the server wrote, and the secret as it was typed.
    sent = changed(sent, "Main", "JobRetention = 50", "JobRetention = 9") | agreed(page)
    assert "Both sides say the same." in typed(admin, row, sent)
    assert admin.post(edit(row), sent | SAVE).status_code == 302
    assert parameters(row) == {"Opening": "a-new-one", "Host": "i"}
    assert settings_of(row)["jobRetention"] == 9


def test_a_secret_typed_in_the_form_is_kept_by_its_mask(admin, row):
    sent = opened(admin, row) | {"AppPluginParameters.Opening": "a-new-one"}
    sent = changed(sent, "App", 'Host = "h"', 'Host = "i"')
    page = typed(admin, row, sent)
    assert "data-moved" not in input_of(page, "AppPluginParameters.Opening")
    assert "a-new-one" not in page
    assert admin.post(edit(row), sent | SAVE).status_code == 302
    assert parameters(row) == {"Opening": "a-new-one", "Host": "i"}


@pytest.mark.parametrize(("part", "old", "new", "words"), [
    ("Main", "JobRetention = 50", "JobRetention = ", "Line "),
    ("Main", "JobRetention = 50", "JobRetentoin = 50", "JobRetentoin: Fossul knows no such setting"),
    ("App", 'Host = "h"', "Host", "not Key = "),
    ("App", 'Host = "h"', 'Token = "***"', "there is none"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_at_the_text_and_saves_nothing(admin, row, part, old, new, words):
    sent = changed(opened(admin, row), part, old, new)
    page = typed(admin, row, sent)
    place = re.search(rf'<p id="toml-{part}-error"[^>]*>(.*?)</p>', page, re.DOTALL)
    assert place
    assert words in html.unescape(place[1])
    assert "The TOML cannot be read." in page
    assert 'name="JobRetention"' not in page, "the form stays"
    answer = admin.post(edit(row), sent | SAVE)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Nothing was saved." in page
    assert sent_by(page)[f"Toml.{part}"] == sent[f"Toml.{part}"].replace("\r\n", "\n").replace("\n", "\r\n")
    assert PLANTED not in page
    assert ConfigVersion.objects.count() == 1


def test_the_form_may_count_again(admin, row):
    sent = changed(opened(admin, row), "Main", "JobRetention = 50", "JobRetention = ")
    page = typed(admin, row, sent | {"JobRetention": "9"})
    assert "cannot be read" in page
    page = typed(admin, row, sent | {"JobRetention": "9", "take": "form"})
    assert "JobRetention = 9" in page
    plain = admin.post(edit(row), sent | {"JobRetention": "9", "take": "form"}).content.decode()
    assert admin.post(edit(row), sent_by(plain) | SAVE).status_code == 302
    assert settings_of(row)["jobRetention"] == 9


def test_both_changed_is_asked_about_and_each_may_count(admin, row):
    both = changed(opened(admin, row), "Main", "JobRetention = 50", "JobRetention = 9") | {
        "JobRetention": "7"
    }
    page = typed(admin, row, both)
    assert "Both sides were changed" in page
    assert "<textarea" not in page
    refused = admin.post(edit(row), both | SAVE)
    assert refused.status_code == 422
    again = sent_by(refused.content.decode())
    assert (again["JobRetention"], "JobRetention = 9" in again["Toml.Main"]) == ("7", True)
    for side, number in (("text", 9), ("form", 7)):
        taken = sent_by(admin.post(edit(row), both | {"take": side}).content.decode())
        assert taken["JobRetention"] == str(number)
        assert f"JobRetention = {number}" in taken["Toml.Main"]
    assert admin.post(edit(row), taken | SAVE).status_code == 302
    assert settings_of(row)["jobRetention"] == 7


def test_both_changed_to_the_same_agree(admin, row):
    both = changed(opened(admin, row), "Main", "JobRetention = 50", "JobRetention = 9") | {
        "JobRetention": "9"
    }
    assert "Both sides were changed" not in typed(admin, row, both)
    assert admin.post(edit(row), both | SAVE).status_code == 302
    assert settings_of(row)["jobRetention"] == 9


def test_while_the_form_cannot_be_read_the_toml_stays(admin, row):
    page = typed(admin, row, opened(admin, row) | {"JobRetention": "many"})
    assert "whole number" in error_at(page, "JobRetention")
    assert "once what is wrong in the form is put right" in page
    assert "<textarea" not in page


def test_another_plugin_in_the_toml_brings_its_fields_and_its_text(admin, row):
    sent = changed(opened(admin, row), "Main", 'ArchivePlugin = ""', 'ArchivePlugin = "tape"')
    page = typed(admin, row, sent)
    assert 'value="tape"' in input_of(page, "ArchivePlugin")
    assert 'name="Toml.Archive"' in page
    assert 'name="Toml.Main"' not in page
    sent = changed(opened(admin, row), "Main", 'StoragePlugin = "filesystem"', 'StoragePlugin = ""')
    assert "names no storage plugin" in typed(admin, row, sent)
    gone = typed(admin, row, sent | {"Toml.Storage": ""})
    assert "the form follows it" in gone
    assert 'value=""' in input_of(gone, "StoragePlugin")


def test_a_setting_that_only_the_toml_has_survives_the_form(admin, row):
    sent = opened(admin, row)
    sent["Toml.Main"] = 'ContainerPlatform = "openshift"\r\n' + sent["Toml.Main"]
    page = typed(admin, row, sent)
    sent |= agreed(page) | {"JobRetention": "9"}
    assert "openshift" in typed(admin, row, sent)
    assert admin.post(edit(row), sent | SAVE).status_code == 302
    assert settings_of(row)["containerPlatform"] == "openshift"
    assert settings_of(row)["jobRetention"] == 9


def test_the_second_of_two_is_told_and_may_insist_with_the_toml_as_well(admin, row):
    mine = changed(opened(admin, row), "Main", "JobRetention = 50", "JobRetention = 9")
    hers = opened(admin, row) | {"JobRetention": "7"}
    assert admin.post(edit(row), hers | SAVE).status_code == 302
    answer = admin.post(edit(row), mine | SAVE)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "+JobRetention = 9" in page
    assert settings_of(row)["jobRetention"] == 7
    assert admin.post(edit(row), sent_by(page) | SAVE).status_code == 302
    assert settings_of(row)["jobRetention"] == 9


def test_a_refused_page_does_not_render_a_secret_typed_in_the_toml(admin, row):
    sent = changed(opened(admin, row), "App", 'Opening = "***"', 'Opening = "typed-just-now"')
    for wrong in ({"description": "x" * 201}, {"Toml.Main": "not TOML"}):
        answer = admin.post(edit(row), sent | wrong | SAVE)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "typed-just-now" not in page
        assert "(type it again)" in page
    again = admin.post(edit(row), sent_by(page) | SAVE)
    assert again.status_code == 422, "what was not typed again is not taken for the secret"
    assert parameters(row) == {"Opening": PLANTED, "Host": "h"}


def test_a_new_configuration_can_be_written_as_toml(admin, row):
    address = reverse("new-config", args=[row.profile.name])
    sent = sent_by(admin.get(address, {"template": "files"}).content.decode())
    sent |= {"name": "second", "Toml.Storage": 'BackupSrcPaths = "/srv"\r\nBackupDestPath = "/backup"\r\n'}
    assert admin.post(address, sent | SAVE).status_code == 302
    made = BackupConfig.objects.get(name="second")
    assert parameters(made, "storage") == {"BackupSrcPaths": "/srv", "BackupDestPath": "/backup"}


def test_a_comment_is_told_of_before_it_is_lost(admin, row):
    sent = opened(admin, row)
    assert "a comment" not in typed(admin, row, sent)
    words = "a comment: it is not kept, but goes when you save, or when you change the form"
    commented = changed(sent, "Main", "JobRetention = 50", "JobRetention = 50 # a month and more")
    note = typed(admin, row, commented)
    note = note[note.index('id="toml-Main-note"') :]
    line = 1 + sent["Toml.Main"][: sent["Toml.Main"].index("JobRetention")].count("\n")
    assert f"Line {line}: {words}" in note[: note.index("</p>")]
    of_plugin = typed(admin, row, sent | {"Toml.Storage": f"# why\r\n{sent['Toml.Storage']}"})
    of_plugin = of_plugin[of_plugin.index('id="toml-Storage-note"') :]
    assert f"Line 1: {words}" in of_plugin[: of_plugin.index("</p>")]
    setting = typed(admin, row, sent | {"Toml.Storage": f'# Compression = "9"\r\n{sent["Toml.Storage"]}'})
    assert "which Fossul reads as a setting" in setting
    assert words not in setting, "that is kept"
