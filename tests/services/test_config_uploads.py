"""Configurations uploaded: planned without a change, taken as planned or not at all."""

import time
from uuid import uuid4

import pytest

from tests.factories import ADMIN, OPERATOR, make_catalog
from workflows_app.domain.errors import ConfigInvalid, NotAllowed, NotNow
from workflows_app.models import AuditEntry, BackupConfig, ConfigVersion, Policy
from workflows_app.services.configurations.secrets import opened_settings
from workflows_app.services.files import config_uploads
from workflows_app.services.files.config_archives import LARGEST_UPLOAD, pack
from workflows_app.services.files.config_changes import Effect
from workflows_app.services.files.config_downloads import download_configs
from workflows_app.services.files.config_uploads import SentFile, apply_import, plan_again, plan_import
from workflows_app.services.people.permissions import GROUP_RIGHTS, Actor

pytestmark = pytest.mark.django_db

PLANTED = "correct-horse-battery"
MAIN = """AppPlugin = "sample-app"
[[BackupRetentions]]
Policy = "daily"
RetentionNumber = 5
[KeepRules.daily]
Weekly = 4
"""


@pytest.fixture(autouse=True)
def a_key(settings) -> None:
    settings.FOSSUL_SECRETS_KEYS = ["the first key"]


@pytest.fixture
def profile() -> str:
    return f"p-{uuid4().hex[:8]}"


def files(profile: str, **more: str) -> dict[str, bytes]:
    texts = {"app.conf": MAIN, "sample-app.conf": f'Password = "{PLANTED}"\n'} | more
    return {f"{profile}/app/{name}": text.encode() for name, text in texts.items()}


def archive(contents: dict[str, bytes]) -> list[SentFile]:
    return [SentFile("configs.zip", b"".join(pack(contents)))]


def everything() -> list[object]:
    rows = BackupConfig.objects.order_by("pk").values()
    counts = (AuditEntry.objects.count(), ConfigVersion.objects.count())
    return [*rows, *Policy.objects.order_by("pk").values(), counts]


def test_a_plan_changes_nothing_and_its_token_takes_exactly_it(profile):
    before = everything()
    plan = plan_import(ADMIN, archive(files(profile)))
    assert [change.effect for change in plan.report.changes] == [Effect.MADE]
    assert everything() == before
    assert PLANTED not in plan.token
    taken = apply_import(ADMIN, plan.token)
    assert taken.report.changes == plan.report.changes
    row = BackupConfig.objects.get(name="app")
    assert opened_settings(row.settings)["appPluginParameters"] == {"Password": PLANTED}
    assert row.policies.get().keep_rules == {"weekly": 4}
    assert AuditEntry.objects.filter(actor="ada", action="imported", profile=profile, config="app").exists()


def test_taking_a_plan_twice_is_refused_and_there_is_nothing_more_to_take(profile):
    token = plan_import(ADMIN, archive(files(profile))).token
    apply_import(ADMIN, token)
    before = everything()
    with pytest.raises(NotNow, match="were changed since"):
        apply_import(ADMIN, token)
    again = plan_again(ADMIN, token)
    assert (again.report.differs, again.token) == (False, "")
    assert everything() == before


def test_a_plan_is_refused_when_what_it_is_about_was_changed(profile):
    make_catalog(profile, "app", appPlugin="sample-app", appPluginParameters={"Password": "one"})
    token = plan_import(ADMIN, archive(files(profile))).token
    row = BackupConfig.objects.get(name="app")
    row.settings |= {"appPluginParameters": {"Password": "two"}}
    row.save()
    before = everything()
    with pytest.raises(NotNow, match="were changed since"):
        apply_import(ADMIN, token)
    assert everything() == before
    assert apply_import(ADMIN, plan_again(ADMIN, token).token).report.differs


def test_another_configuration_may_change_meanwhile(profile):
    other = make_catalog(profile)
    token = plan_import(ADMIN, archive(files(profile))).token
    other.settings |= {"jobRetention": 7}
    other.save()
    make_catalog(profile)
    assert apply_import(ADMIN, token).report.differs


def test_a_token_is_good_for_its_owner_alone_and_for_an_hour(profile, monkeypatch):
    token = plan_import(ADMIN, archive(files(profile))).token
    other = Actor("eve", GROUP_RIGHTS["admin"])
    before = everything()
    with pytest.raises(NotNow, match="somebody else"):
        apply_import(other, token)
    for wrong in ("", "x", token[:-4], token.removeprefix("sealed:")):
        with pytest.raises(NotNow, match="no plan"):
            apply_import(ADMIN, wrong)
    later = time.time() + config_uploads.LIFE_SECONDS + 1
    monkeypatch.setattr(config_uploads.time, "time", lambda: later)
    with pytest.raises(NotNow, match="more than an hour"):
        apply_import(ADMIN, token)
    assert everything() == before


def test_one_refused_file_leaves_nothing_to_take(profile):
    plan = plan_import(ADMIN, archive(files(profile) | {f"{profile}/other/other.conf": b"Job"}))
    assert plan.report.refused
    assert plan.token == ""


def test_a_main_file_that_is_too_large_is_not_called_missing(profile):
    plan = plan_import(ADMIN, archive(files(profile) | {f"{profile}/app/app.conf": b"#" * (2**20 + 1)}))
    (file,) = plan.report.files
    assert (file.name, file.refused) == (f"{profile}/app/app.conf", "it is larger than 1 MiB")


def test_a_folder_with_its_name_around_it_is_taken(profile):
    sent = [SentFile(f"configs/{path}", content) for path, content in files(profile).items()]
    assert plan_import(ADMIN, sent).report.changes[0].profile == profile


def test_single_files_belong_to_the_configuration_that_is_named(profile):
    sent = [SentFile(path.rpartition("/")[2], content) for path, content in files(profile).items()]
    with pytest.raises(ConfigInvalid, match="whose configuration"):
        plan_import(ADMIN, sent)
    with pytest.raises(ConfigInvalid) as caught:
        plan_import(ADMIN, sent, "../x", "app")
    assert caught.value.field == "profile"
    (change,) = plan_import(ADMIN, sent, profile, "app").report.changes
    assert (change.profile, change.config, change.effect) == (profile, "app", Effect.MADE)


def test_what_the_files_do_not_have_stays(profile):
    other = make_catalog(profile)
    plan = plan_import(ADMIN, archive(files(profile)))
    assert {change.effect for change in plan.report.changes} == {Effect.MADE, Effect.KEPT}
    apply_import(ADMIN, plan.token)
    assert BackupConfig.objects.filter(pk=other.pk).exists()


def test_too_much_and_nothing_are_refused():
    with pytest.raises(ConfigInvalid, match="import_configs"):
        plan_import(ADMIN, [SentFile("x.zip", bytes(LARGEST_UPLOAD + 1))])
    with pytest.raises(ConfigInvalid, match="choose a file"):
        plan_import(ADMIN, [])


@pytest.mark.parametrize("more", [{}, {"README.md": b"x"}, {"app.conf": b""}])
def test_files_without_a_configuration_are_refused_and_not_called_the_same(more):
    with pytest.raises(ConfigInvalid, match="no configuration in it"):
        plan_import(ADMIN, archive(more))


def test_only_who_may_configure_may_plan_take_or_download(profile):
    token = plan_import(ADMIN, archive(files(profile))).token
    before = everything()
    for use in (
        lambda: plan_import(OPERATOR, archive(files(profile))),
        lambda: apply_import(OPERATOR, token),
        lambda: download_configs(OPERATOR),
    ):
        with pytest.raises(NotAllowed):
            use()
    assert everything() == before


def test_a_download_is_what_an_upload_takes_back(profile):
    apply_import(ADMIN, plan_import(ADMIN, archive(files(profile))).token)
    make_catalog()
    found = download_configs(ADMIN, profile, "app")
    content = b"".join(found.parts)
    assert found.name == f"fossul-{profile}-app.zip"
    assert PLANTED.encode() not in content
    assert b"".join(download_configs(ADMIN, profile, "app").parts) == content
    plan = plan_import(ADMIN, [SentFile(found.name, content)])
    assert [c.effect for c in plan.report.changes if c.effect is not Effect.KEPT] == [Effect.UNCHANGED]
    assert any("a secret that the files leave out stays" in r for r in plan.report.changes[0].remarks)


def test_a_download_with_secrets_is_audited_and_makes_the_same_elsewhere(profile):
    apply_import(ADMIN, plan_import(ADMIN, archive(files(profile))).token)
    content = b"".join(download_configs(ADMIN, profile, with_secrets=True).parts)
    entry = AuditEntry.objects.get(action="downloaded the secrets of")
    assert (entry.actor, entry.profile, entry.config) == ("ada", profile, "app")
    BackupConfig.objects.all().delete()
    apply_import(ADMIN, plan_import(ADMIN, [SentFile("x.zip", content)]).token)
    row = BackupConfig.objects.get()
    assert opened_settings(row.settings)["appPluginParameters"] == {"Password": PLANTED}
    assert row.policies.get().keep_rules == {"weekly": 4}
