"""A policy that is renamed in the editor keeps its rules by age; what would be dropped is told first."""

import pytest
from django.template.loader import render_to_string
from django.urls import reverse

from tests.web.test_config_edit import SAVE
from tests.web.test_config_edit_toml import admin, edit, opened, row, sent_by, setting_up, typed
from workflows_app.models import BackupConfig, Policy, ScheduleMove
from workflows_app.services.editing.gone_policies import Leftover, Leftovers
from workflows_app.web.editors.gone_views import GonePolicy, GoneView

__all__ = ["admin", "row", "setting_up"]

pytestmark = pytest.mark.django_db

CONFIRM = {"Gone.confirmed": "daily", "Gone.successor.daily": "nightly"}
WARNING = "Saving this drops rules of policies that are no longer here"


@pytest.fixture(autouse=True)
def ruled(row) -> None:
    row.policies.update(keep_rules={"weekly": 4}, archive_keep_rules={"monthly": 6})


def policy_of(row: BackupConfig) -> Policy:
    (policy,) = row.policies.all()
    return policy


def test_a_plain_post_of_a_new_name_keeps_both(admin, row):
    answer = admin.post(edit(row), opened(admin, row) | {"Policies.0.Policy": "nightly"} | CONFIRM | SAVE)
    assert answer.status_code == 302
    policy = policy_of(row)
    assert policy.name == "nightly"
    assert (policy.keep_rules, policy.archive_keep_rules) == ({"weekly": 4}, {"monthly": 6})


def test_a_page_that_was_refused_still_knows_the_name_it_was_opened_with(admin, row):
    sent = opened(admin, row) | {"Policies.0.Policy": "not-a-name"} | SAVE
    refused = admin.post(edit(row), sent)
    assert refused.status_code == 422
    again = sent_by(refused.content.decode()) | {"Policies.0.Policy": "nightly"} | CONFIRM | SAVE
    assert admin.post(edit(row), again).status_code == 302
    policy = policy_of(row)
    assert (policy.name, policy.keep_rules, policy.archive_keep_rules) == (
        "nightly",
        {"weekly": 4},
        {"monthly": 6},
    )


def test_a_policy_that_is_put_in_place_of_another_gets_no_rules_and_says_so_first(admin, row):
    sent = opened(admin, row)
    assert WARNING not in typed(admin, row, sent | {"Policies.0.Policy": "nightly"})
    sent |= {"Policies.0.Policy": "", "Policies.0.BackupRetention": "", "Policies.0.ArchiveRetention": ""}
    sent |= {"Policies.1.Policy": "nightly", "Policies.1.BackupRetention": "5"}
    page = typed(admin, row, sent)
    assert WARNING in page
    assert "daily also keeps 4 weekly of its backups;" in page
    assert "daily also keeps 6 monthly of its archives." in page
    assert policy_of(row).name == "daily", "typing saves nothing"
    assert admin.post(edit(row), sent | CONFIRM | SAVE).status_code == 302
    policy = policy_of(row)
    assert (policy.name, policy.keep_rules, policy.archive_keep_rules) == ("nightly", {}, {})


def test_what_a_policy_would_leave_is_told_before_it_is_saved(admin, row):
    sent = opened(admin, row) | {"Policies.0.Policy": "nightly"} | SAVE
    asked = admin.post(edit(row), sent)
    page = asked.content.decode()
    assert asked.status_code == 409
    assert "<strong>Policy daily would be gone, and nothing was saved yet.</strong>" in page
    assert f"{reverse('restore-points', args=[row.profile.name, row.name])}?policy=daily" in page
    assert "counted is what runs reported" in page, "no worker was asked"
    assert "Which schedules there are could not be found out." in page
    assert policy_of(row).name == "daily"
    again = sent_by(page)
    assert again["Gone.successor.daily"] == "nightly", "it was renamed in its row"
    assert "Gone.confirmed" not in again
    assert admin.post(edit(row), again | SAVE).status_code == 409
    assert admin.post(edit(row), again | SAVE | {"Gone.confirmed": "another"}).status_code == 409
    assert admin.post(edit(row), again | SAVE | {"Gone.confirmed": "daily"}).status_code == 302
    assert policy_of(row).name == "nightly"
    move = ScheduleMove.objects.get()
    assert (move.policy, move.to_policy) == ("daily", "nightly")


@pytest.mark.parametrize("runs", [0, 1])
def test_runs_are_reason_to_ask_whether_it_was_renamed(runs):
    left = Leftover("daily", 2, 0, (), runs)
    gone = GoneView((GonePolicy(left, "nightly"),), ("nightly",), "daily", Leftovers((left,)))
    page = render_to_string(
        "workflows_app/_gone_policies.html", {"gone": gone, "profile": "p", "config": "c"}
    )
    assert ("<li>1 run in the lists.</li>" in page) == bool(runs)
    assert ('<option value="nightly" selected>It is called nightly now</option>' in page) == bool(runs)


def test_a_new_name_in_the_toml_is_asked_about_as_well(admin, row):
    sent = opened(admin, row)
    sent["Toml.Main"] = sent["Toml.Main"].replace("daily", "nightly")
    page = admin.post(edit(row), sent | SAVE).content.decode()
    assert sent_by(page)["Gone.successor.daily"] == "nightly"
    removed = sent_by(page) | SAVE | {"Gone.confirmed": "daily", "Gone.successor.daily": ""}
    assert admin.post(edit(row), removed).status_code == 302
    move = ScheduleMove.objects.get()
    assert (move.policy, move.to_config, move.to_policy) == ("daily", "", "")


def test_what_was_asked_stays_while_something_else_is_typed_and_goes_when_nothing_is_gone(admin, row):
    sent = opened(admin, row) | {"Policies.0.Policy": "nightly"}
    shown = typed(admin, row, sent | SAVE)
    assert "Save, and leave this behind" in shown
    assert 'href="#gone-policies"' in shown
    sent |= {"Gone.shown": "daily", "Gone.successor.daily": "nightly"}
    assert 'id="gone-policies"' not in typed(admin, row, sent | {"JobRetention": "9"}), "nothing moves there"
    back = typed(admin, row, sent | {"Policies.0.Policy": "daily"})
    assert '<div id="gone-policies" hx-swap-oob="true"></div>' in back
