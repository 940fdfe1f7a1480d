"""The page of a plan: shown, checked while it is typed, saved; refusals name the rule and change nothing."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_catalog
from tests.web.test_control import login
from workflows_app.models import AuditEntry, BackupConfig

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = """
[Plan]
FreezeBudget = "10m"
Stages = [["quiesce-plugin"], ["backup-plugin", "inventory"], ["unquiesce-plugin"], ["backup-retention"]]
[Plan.Commands]
inventory = "ls,-l,/data"
[Plan.Steps.backup-plugin]
Attempts = 3
"""


@pytest.fixture
def config() -> BackupConfig:
    return make_catalog(appPlugin="sample-app", storagePlugin="sample-storage")


def address(config: BackupConfig) -> str:
    return reverse("plan", args=[config.profile.name, config.name])


def post(client: Client, config: BackupConfig, text: str, **more: str) -> tuple[int, str]:
    answer = client.post(address(config), {"plan": text, **more})
    return answer.status_code, answer.content.decode()


def test_without_a_plan_fossuls_order_is_written_out(client, config):
    login(client, "viewer")
    page = client.get(address(config)).content.decode()
    assert "quiesce-plugin" in page
    assert "keeps every rule" in page
    assert "Save the plan" not in page


def test_a_good_plan_is_saved_and_shown(client, config):
    login(client, "admin")
    status, _ = post(client, config, GOOD)
    assert status == 302
    config.refresh_from_db()
    assert config.plan["commands"] == {"inventory": "ls,-l,/data"}
    page = client.get(reverse("config", args=[config.profile.name, config.name])).content.decode()
    assert "at the same time" in page
    assert "Inventory command" in page
    assert AuditEntry.objects.get().action == "changed the plan of"


def test_saved_text_comes_back_as_it_was_meant(client, config):
    login(client, "admin")
    post(client, config, GOOD)
    first = client.get(address(config)).context["text"]
    post(client, config, first)
    assert client.get(address(config)).context["text"] == first


def test_empty_text_is_fossuls_order_again(client, config):
    login(client, "admin")
    post(client, config, GOOD)
    assert post(client, config, "")[0] == 302
    config.refresh_from_db()
    assert config.plan == {}


@pytest.mark.parametrize(("text", "words"), [
    ('Stages = [["backup-plugin"], ["quiesce-plugin"], ["unquiesce-plugin"]]', "backup while frozen"),
    ('Stages = [["quiesce-plugin"]]', "nothing left out"),
    ("Stages = [", "cannot be read"),
    ('[Plan.Steps.backup-plugin]\nTimeout = "soon"', "Plan.Steps.backup-plugin.Timeout"),
])  # fmt: skip
def test_a_bad_plan_is_refused_with_words_and_changes_nothing(client, config, text, words):
    login(client, "admin")
    status, page = post(client, config, text)
    assert status == 422
    assert words in page
    config.refresh_from_db()
    assert config.plan == {}
    assert AuditEntry.objects.count() == 0


def test_checking_saves_nothing(client, config):
    login(client, "admin")
    status, page = post(client, config, GOOD, check="yes")
    assert status == 200
    assert "Inventory command" in page
    config.refresh_from_db()
    assert config.plan == {}


def test_an_operator_may_look_and_not_save(client, config):
    login(client, "operator")
    status, page = post(client, config, GOOD)
    assert status == 403
    assert "change configurations" in page
    config.refresh_from_db()
    assert config.plan == {}


def test_a_stored_plan_that_no_longer_fits_is_told_on_the_configurations_page(client, config):
    login(client, "operator")
    config.plan = {"stages": [["backup-plugin"]]}
    config.save()
    page = client.get(reverse("config", args=[config.profile.name, config.name])).content.decode()
    assert "No backup can start." in page
    assert "nothing left out" in page or "is in no stage" in page
