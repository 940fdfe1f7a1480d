"""A policy that is renamed in the editor keeps its rules by age; what would be dropped is told first."""

import pytest

from tests.web.test_config_edit import SAVE
from tests.web.test_config_edit_toml import admin, edit, opened, row, sent_by, setting_up, typed
from workflows_app.models import BackupConfig, Policy

__all__ = ["admin", "row", "setting_up"]

pytestmark = pytest.mark.django_db

WARNING = "Saving this drops rules of policies that are no longer here"


@pytest.fixture(autouse=True)
def ruled(row) -> None:
    row.policies.update(keep_rules={"weekly": 4}, archive_keep_rules={"monthly": 6})


def policy_of(row: BackupConfig) -> Policy:
    (policy,) = row.policies.all()
    return policy


def test_a_plain_post_of_a_new_name_keeps_both(admin, row):
    answer = admin.post(edit(row), opened(admin, row) | {"Policies.0.Policy": "nightly"} | SAVE)
    assert answer.status_code == 302
    policy = policy_of(row)
    assert policy.name == "nightly"
    assert (policy.keep_rules, policy.archive_keep_rules) == ({"weekly": 4}, {"monthly": 6})


def test_a_page_that_was_refused_still_knows_the_name_it_was_opened_with(admin, row):
    sent = opened(admin, row) | {"Policies.0.Policy": "not-a-name"} | SAVE
    refused = admin.post(edit(row), sent)
    assert refused.status_code == 422
    again = sent_by(refused.content.decode()) | {"Policies.0.Policy": "nightly"} | SAVE
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
    assert admin.post(edit(row), sent | SAVE).status_code == 302
    policy = policy_of(row)
    assert (policy.name, policy.keep_rules, policy.archive_keep_rules) == ("nightly", {}, {})
