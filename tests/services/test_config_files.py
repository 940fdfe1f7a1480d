"""Configuration as files: folders into the database and back."""

import json
import os
from pathlib import Path
from uuid import uuid4

import pytest

from tests.factories import OPERATOR, make_catalog, make_run
from tests.services.published import publish_all
from workflows_app.domain.config import WhenBusy
from workflows_app.domain.errors import NotAllowed
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.secrets.references import is_sealed
from workflows_app.models import AuditEntry, BackupConfig, Policy, Profile, ScheduleMove
from workflows_app.services.configurations import catalog, versions
from workflows_app.services.configurations.config_folder import MARKER, FolderRefused
from workflows_app.services.configurations.secrets import opened_settings
from workflows_app.services.files.config_changes import Effect
from workflows_app.services.files.config_files import apply_configs, export_configs, import_configs
from workflows_app.services.people.permissions import command_line

pytestmark = pytest.mark.django_db

ADMIN = command_line("tests")
MAIN = """AppPlugin = "sample-app"
StoragePlugin = "csi.so"
JobRetention = 50

[[BackupRetentions]]
Policy = "daily"
RetentionNumber = 5

[[ArchiveRetentions]]
Policy = "daily"
RetentionNumber = 7
"""


def put(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture(autouse=True)
def temporal_away(settings) -> None:
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"


@pytest.fixture
def profile() -> str:
    return f"p-{uuid4().hex[:8]}"


@pytest.fixture
def folder(tmp_path: Path, profile: str) -> Path:
    """A folder with one configuration, ``app``, with a password."""
    files = {
        f"{profile}/app/app.conf": MAIN,
        f"{profile}/app/sample-app.conf": 'Host = "db"\nPassword = "hunter2"\n',
        f"{profile}/app/csi.so.conf": 'BackupName = "app"\n',
    }
    return put(tmp_path / "files", files)


def everything() -> list[object]:
    """All that an import may change."""
    configs = BackupConfig.objects.order_by("pk").values("pk", "profile__name", "name", "settings", "plan")
    policies = Policy.objects.order_by("pk").values()
    return [*configs, *policies, *Profile.objects.order_by("pk").values(), AuditEntry.objects.count()]


def effects(report) -> dict[str, Effect]:
    return {f"{change.profile}/{change.config}": change.effect for change in report.changes}


def test_a_folder_becomes_rows_that_a_run_can_use(folder, profile):
    report = import_configs(ADMIN, folder)
    assert effects(report) == {f"{profile}/app": Effect.MADE}
    config = catalog.get_config(ADMIN, profile, "app").config.for_run(1, "daily", 1)
    assert (config.app_plugin, config.storage_plugin, config.job_retention) == ("sample-app", "csi.so", 50)
    assert config.app_plugin_parameters["Host"] == "db"
    assert is_sealed(config.app_plugin_parameters["Password"])
    row = BackupConfig.objects.get()
    assert opened_settings(row.settings)["appPluginParameters"]["Password"] == "hunter2"
    assert config.storage_plugin_parameters == {"BackupName": "app"}
    assert (config.selected_backup_retention, config.selected_archive_retention) == (5, 7)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.profile, entry.config) == ("tests (command line)", profile, "app")


def test_a_second_import_changes_nothing(folder):
    import_configs(ADMIN, folder)
    before = everything()
    assert set(effects(import_configs(ADMIN, folder)).values()) == {Effect.UNCHANGED}
    assert everything() == before


def test_a_dry_run_and_a_plan_tell_and_change_nothing(folder, profile):
    assert effects(import_configs(ADMIN, folder, dry_run=True)) == {f"{profile}/app": Effect.MADE}
    report = apply_configs(ADMIN, folder, plan=True)
    assert report.differs
    assert '+StoragePlugin = "csi.so"' in report.changes[0].lines
    assert everything() == [0]


def test_one_bad_file_among_many_leaves_everything_as_it_was(folder, profile):
    put(folder, {f"{profile}/other/other.conf": '[[BackupRetentions]]\nPolicy = "a-b"\nRetentionNumber = 1'})
    report = import_configs(ADMIN, folder)
    assert report.refused
    (refused,) = [file for file in report.files if file.refused]
    assert refused.name == f"{profile}/other/other.conf"
    assert "no '-'" in refused.refused
    assert everything() == [0]


def test_only_who_may_configure_may_take_or_write_files(folder, tmp_path):
    for use in (import_configs, apply_configs, export_configs):
        with pytest.raises(NotAllowed):
            use(OPERATOR, folder)
    assert everything() == [0]


def test_an_import_leaves_what_the_files_do_not_have(folder, profile):
    row = make_catalog(profile, "app", appPlugin="sample-app", description="x", somethingElse=1)
    row.plan = PlanLayout(freeze_budget_seconds=60).wire()
    row.save()
    row.policies.filter(name="daily").update(when_busy=WhenBusy.QUEUE)
    other = make_catalog(profile, "other")
    report = import_configs(ADMIN, folder)
    assert effects(report) == {f"{profile}/app": Effect.CHANGED, f"{profile}/other": Effect.KEPT}
    assert any("weekly" in remark for remark in report.changes[0].remarks)
    row.refresh_from_db()
    assert PlanLayout.model_validate(row.plan).freeze_budget_seconds == 60
    assert row.settings["somethingElse"] == 1
    assert [(p.name, p.keep_archives, p.when_busy) for p in row.policies.all()] == [
        ("daily", 7, "queue"),
        ("weekly", 0, "refuse"),
    ]
    assert BackupConfig.objects.filter(pk=other.pk).exists()


def test_pruning_deletes_what_the_files_do_not_have(folder, profile):
    row = make_catalog(profile, "app", appPlugin="sample-app")
    row.plan = PlanLayout(freeze_budget_seconds=60).wire()
    row.save()
    gone = make_catalog()
    told = apply_configs(ADMIN, folder, prune=True, plan=True)
    assert BackupConfig.objects.filter(pk=gone.pk).exists()
    report = apply_configs(ADMIN, folder, prune=True)
    assert effects(report) == effects(told)
    assert effects(report)[str(gone)] == Effect.DELETED
    assert effects(report)[f"{gone.profile.name}/"] == Effect.DELETED
    (changed,) = (change for change in told.changes if change.effect is Effect.CHANGED)
    assert changed.gone == ("weekly",)
    assert "policy weekly: its schedules go with it" in changed.remarks[-1]
    assert set(ScheduleMove.objects.values_list("profile", "config", "policy", "to_config")) == {
        (gone.profile.name, gone.name, "", ""),
        (profile, "app", "weekly", ""),
    }
    assert not Profile.objects.filter(name=gone.profile.name).exists()
    row.refresh_from_db()
    assert (row.plan, [policy.name for policy in row.policies.all()]) == ({}, ["daily"])
    assert not apply_configs(ADMIN, folder, prune=True, plan=True).differs


def test_what_has_an_open_run_is_never_deleted(folder):
    busy = make_catalog()
    make_run(profile=busy.profile.name, config=busy.name)
    report = apply_configs(ADMIN, folder, prune=True)
    assert effects(report)[str(busy)] == Effect.KEPT
    assert BackupConfig.objects.filter(pk=busy.pk).exists()
    assert not apply_configs(ADMIN, folder, prune=True, plan=True).differs


def test_pruning_by_an_empty_folder_is_refused(tmp_path):
    make_catalog()
    before = everything()
    with pytest.raises(FolderRefused, match="delete everything"):
        apply_configs(ADMIN, tmp_path, prune=True)
    assert everything() == before


def test_the_difference_shows_no_secret_and_that_it_is_another(folder, profile):
    import_configs(ADMIN, folder)
    put(folder, {f"{profile}/app/sample-app.conf": 'Host = "db2"\nPassword = "hunter3"\n'})
    (change,) = apply_configs(ADMIN, folder, plan=True).changes
    assert change.lines[2:] == (
        "@@ -1,2 +1,2 @@",
        '-Host = "db"',
        '-Password = "***"',
        '+Host = "db2"',
        '+Password = "*** (another value)"',
    )


def test_no_secret_is_in_a_report(folder, profile):
    put(folder, {f"{profile}/app/sample-app.conf": 'Password = "hunter2 hunter2"\nhunter2\nA = "hunter2'})
    report = import_configs(ADMIN, folder, dry_run=True)
    told = [report.files, *((c.lines, c.remarks) for c in report.changes)]
    assert "hunter2" not in repr(told)


def test_an_export_is_read_back_equal_and_keeps_the_secrets_that_it_left_out(folder, profile, tmp_path):
    put(folder, {f"{profile}/app/app.conf": 'BackupCreateCmd = "dump,--password,hunter2"\n' + MAIN})
    import_configs(ADMIN, folder)
    before = everything()
    out = tmp_path / "out"
    report = export_configs(ADMIN, out)
    left_out = {note.what for file in report.files for note in file.notes}
    assert left_out == {"BackupCreateCmd", "AppPluginParameters.Password"}
    written = {path: path.read_text() for path in out.rglob("*") if path.is_file()}
    assert not any("hunter2" in text for text in written.values())
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
    again = apply_configs(ADMIN, out, prune=True)
    assert set(effects(again).values()) == {Effect.UNCHANGED}
    assert [len(change.remarks) for change in again.changes] == [0, 2]
    assert everything() == before


def test_descriptions_and_what_is_disabled_survive_an_export(folder, profile, tmp_path):
    import_configs(ADMIN, folder)
    BackupConfig.objects.update(description='the "shop"\nof Kiel', disabled=True)
    export_configs(ADMIN, tmp_path / "out")
    assert not apply_configs(ADMIN, tmp_path / "out", prune=True, plan=True).differs
    BackupConfig.objects.update(description="", disabled=False)
    _, change = apply_configs(ADMIN, tmp_path / "out", plan=True).changes
    assert {"-Disabled = false", "+Disabled = true", '-Description = ""'} <= set(change.lines)
    import_configs(ADMIN, tmp_path / "out")
    row = BackupConfig.objects.get()
    assert (row.description, row.disabled) == ('the "shop"\nof Kiel', True)
    assert row.versions.first().content["description"] == row.description
    assert apply_configs(ADMIN, folder, prune=True).changes[0].effect is Effect.UNCHANGED
    row.refresh_from_db()
    assert (row.description, row.disabled) == ('the "shop"\nof Kiel', True), "the files say nothing of them"
    BackupConfig.objects.all().delete()
    import_configs(ADMIN, tmp_path / "out")
    again = BackupConfig.objects.get()
    assert (again.description, again.disabled) == (row.description, row.disabled)


def test_what_a_profile_says_of_itself_goes_into_a_file_and_back(folder, profile, tmp_path):
    import_configs(ADMIN, folder)
    Profile.objects.create(name=f"{profile}-empty", description="no configuration yet")
    Profile.objects.filter(name=profile).update(description='the "shop"\nof Kiel', disabled=True)
    before = sorted(Profile.objects.values_list("name", "description", "disabled"))
    out = tmp_path / "out"
    export_configs(ADMIN, out)
    told = apply_configs(ADMIN, out, prune=True, plan=True)
    assert not told.differs
    assert told.changes[0].effect is Effect.UNCHANGED
    BackupConfig.objects.all().delete()
    Profile.objects.all().delete()
    told = import_configs(ADMIN, out)
    assert effects(told)[f"{profile}/"] is Effect.MADE
    assert sorted(Profile.objects.values_list("name", "description", "disabled")) == before
    assert not import_configs(ADMIN, out).differs


def test_a_profiles_file_changes_what_it_says_and_no_more(folder, profile):
    import_configs(ADMIN, folder)
    Profile.objects.update(description="the shop", disabled=True)
    put(folder, {f"{profile}/{profile}.conf": "disabled = false\nOwner = 'kim'\n"})
    report = apply_configs(ADMIN, folder, plan=True)
    (change,) = (change for change in report.changes if not change.config)
    assert change.effect is Effect.CHANGED
    assert [line for line in change.lines if line[1:].startswith("Disabled")] == [
        "-Disabled = true",
        "+Disabled = false",
    ]
    (file,) = (file for file in report.files if file.name == f"{profile}/{profile}.conf")
    assert (file.taken, [note.what for note in file.notes]) == (1, ["Owner"])
    apply_configs(ADMIN, folder)
    row = Profile.objects.get()
    assert (row.description, row.disabled) == ("the shop", False)
    assert AuditEntry.objects.filter(profile=profile, config="", details="changed").exists()
    (folder / profile / f"{profile}.conf").unlink()
    assert not apply_configs(ADMIN, folder, prune=True).differs, "without a file it stays as it is"


def test_a_profiles_file_that_is_refused_leaves_all_as_it_was(folder, profile):
    put(folder, {f"{profile}/{profile}.conf": 'Disabled = "no"\n'})
    report = import_configs(ADMIN, folder)
    assert [(file.name, file.refused) for file in report.files if file.refused] == [
        (f"{profile}/{profile}.conf", "Disabled: it must be true or false, and is text")
    ]
    assert not Profile.objects.exists()


def test_an_export_passes_by_a_profile_whose_file_has_no_place(folder, profile, tmp_path):
    put(folder, {f"{profile}/{profile}.conf/{profile}.conf.conf": "JobRetention = 5\n"})
    import_configs(ADMIN, folder)
    report = export_configs(ADMIN, tmp_path / "out")
    (told,) = (file for file in report.files if file.name == profile)
    assert [(note.what, "a configuration's folder" in note.why) for note in told.notes] == [
        ("the profile", True)
    ]
    assert not import_configs(ADMIN, tmp_path / "out").differs


def test_an_export_with_secrets_makes_the_same_database_elsewhere(folder, profile, tmp_path):
    put(folder, {f"{profile}/app/app.conf": MAIN + '[Plan]\nFreezeBudget = "1h"\n'})
    import_configs(ADMIN, folder)
    before = BackupConfig.objects.get()
    export_configs(ADMIN, tmp_path / "out", with_secrets=True)
    Policy.objects.all().delete()
    BackupConfig.objects.all().delete()
    import_configs(ADMIN, tmp_path / "out")
    after = BackupConfig.objects.get()
    assert opened_settings(after.settings) == opened_settings(before.settings)
    assert after.plan == before.plan
    assert after.plan
    assert [(p.name, p.keep_backups, p.keep_archives) for p in after.policies.all()] == [("daily", 5, 7)]


RULES = "[KeepRules.daily]\nDaily = 7\n"


def test_keep_rules_are_taken_shown_kept_and_pruned(folder, profile):
    import_configs(ADMIN, folder)
    main = f"{profile}/app/app.conf"
    put(folder, {main: MAIN + RULES})
    (change,) = import_configs(ADMIN, folder).changes
    assert "+Daily = 7" in change.lines
    policy = Policy.objects.get(config__name="app")
    assert policy.keep_rules == {"daily": 7}
    assert "+Daily = 7" in versions.list_versions(ADMIN, profile, "app").versions[0].lines
    put(folder, {main: MAIN})
    assert effects(import_configs(ADMIN, folder)) == {f"{profile}/app": Effect.UNCHANGED}
    assert effects(apply_configs(ADMIN, folder, prune=True)) == {f"{profile}/app": Effect.CHANGED}
    policy.refresh_from_db()
    assert policy.keep_rules == {}


def test_archive_rules_are_taken_shown_in_the_history_kept_and_exported(folder, profile, tmp_path):
    import_configs(ADMIN, folder)
    put(folder, {f"{profile}/app/app.conf": MAIN + "[ArchiveKeepRules.daily]\nMonthly = 12\n"})
    (change,) = import_configs(ADMIN, folder).changes
    assert "+[ArchiveKeepRules.daily]" in change.lines
    policy = Policy.objects.get(config__name="app")
    assert (policy.keep_rules, policy.archive_keep_rules) == ({}, {"monthly": 12})
    assert "+Monthly = 12" in versions.list_versions(ADMIN, profile, "app").versions[0].lines
    export_configs(ADMIN, tmp_path / "out")
    put(folder, {f"{profile}/app/app.conf": MAIN})
    assert effects(import_configs(ADMIN, folder)) == {f"{profile}/app": Effect.UNCHANGED}
    assert effects(apply_configs(ADMIN, folder, prune=True)) == {f"{profile}/app": Effect.CHANGED}
    policy.refresh_from_db()
    assert policy.archive_keep_rules == {}
    import_configs(ADMIN, tmp_path / "out")
    policy.refresh_from_db()
    assert policy.archive_keep_rules == {"monthly": 12}


def test_an_empty_table_takes_keep_rules_away(folder, profile):
    put(folder, {f"{profile}/app/app.conf": MAIN + RULES})
    import_configs(ADMIN, folder)
    put(folder, {f"{profile}/app/app.conf": MAIN + "[KeepRules.daily]\n"})
    import_configs(ADMIN, folder)
    assert Policy.objects.get(config__name="app").keep_rules == {}


def test_keep_rules_survive_an_export(folder, profile, tmp_path):
    put(folder, {f"{profile}/app/app.conf": MAIN + RULES})
    import_configs(ADMIN, folder)
    export_configs(ADMIN, tmp_path / "out")
    Policy.objects.update(keep_rules={})
    import_configs(ADMIN, tmp_path / "out")
    assert Policy.objects.get(config__name="app").keep_rules == {"daily": 7}


def test_a_secret_given_as_empty_is_removed(folder, profile):
    import_configs(ADMIN, folder)
    put(folder, {f"{profile}/app/sample-app.conf": 'Host = "db"\nPassword = ""\n'})
    import_configs(ADMIN, folder)
    assert BackupConfig.objects.get().settings["appPluginParameters"] == {"Host": "db", "Password": ""}


def test_a_secret_of_another_plugin_is_not_kept(folder, profile):
    import_configs(ADMIN, folder)
    main = MAIN.replace("sample-app", "other-app")
    put(folder, {f"{profile}/app/app.conf": main, f"{profile}/app/other-app.conf": ""})
    import_configs(ADMIN, folder)
    assert "appPluginParameters" not in BackupConfig.objects.get().settings


def test_an_export_does_not_write_into_a_folder_of_somebody_else(folder, profile):
    import_configs(ADMIN, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(FolderRefused, match="not empty"):
        export_configs(ADMIN, folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    export_configs(ADMIN, folder, force=True)
    assert (folder / MARKER).exists()


def test_a_second_export_removes_what_is_gone_and_nothing_else(tmp_path):
    stays, gone = make_catalog(), make_catalog()
    out = tmp_path / "out"
    export_configs(ADMIN, out)
    put(out, {"README.md": "mine", f"{stays}/mine.conf": "mine"})
    BackupConfig.objects.filter(pk=gone.pk).delete()
    gone.profile.delete()
    report = export_configs(ADMIN, out)
    assert {file.name for file in report.files if file.notes} == {
        f"{gone.profile}/{gone.profile}.conf",
        *(f"{gone}/{name}.conf" for name in (gone.name, "sample-app", "sample-storage", "sample-archive")),
    }
    assert not (out / gone.profile.name).exists()
    assert (out / "README.md").read_text() == (out / f"{stays}/mine.conf").read_text() == "mine"


def test_a_marker_that_names_other_files_removes_none_of_them(tmp_path):
    make_catalog()
    victim = tmp_path / "victim.conf"
    victim.write_text("mine")
    out = put(
        tmp_path / "out", {MARKER: json.dumps({"files": ["../victim.conf", str(victim), "a/../x.conf"]})}
    )
    export_configs(ADMIN, out)
    assert victim.read_text() == "mine"


def test_what_no_file_can_hold_is_pruned_and_replaced_all_the_same(folder, profile):
    import_configs(ADMIN, folder)
    twice = {"storagePlugin": "p", "archivePlugin": "p"}
    twice |= {f"{family}PluginParameters": {"Path": family} for family in ("storage", "archive")}
    BackupConfig.objects.update(settings=twice)
    unfit = BackupConfig.objects.get()
    BackupConfig.objects.create(profile=unfit.profile, name="other", settings=twice)
    report = apply_configs(ADMIN, folder, prune=True)
    assert effects(report) == {f"{profile}/app": Effect.CHANGED, f"{profile}/other": Effect.DELETED}
    for change in report.changes:
        assert change.lines == ()
        assert "no file can hold what is stored: ArchivePluginParameters.Path" in change.remarks[-1]
    assert BackupConfig.objects.get().settings["storagePlugin"] == "csi.so"


def test_files_with_a_byte_order_mark_are_taken_and_told(folder, profile):
    put(folder, {f"{profile}/{profile}.conf": 'Description = "the shop"\n'})
    paths = sorted(folder.rglob("*.conf"))
    for path in paths:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    report = import_configs(ADMIN, folder)
    assert {file.name: [note.what for note in file.notes] for file in report.files} == {
        str(path.relative_to(folder)): ["the byte order mark"] for path in paths
    }
    row = BackupConfig.objects.get()
    assert row.settings["appPluginParameters"]["Host"] == "db"
    assert row.profile.description == "the shop"


def test_a_link_that_leads_nowhere_is_told_by_its_place(folder, profile):
    (folder / "loop").symlink_to("loop")
    (folder / profile / "gone").symlink_to("nothing")
    (folder / profile / "app" / "round.conf").symlink_to("round.conf")
    report = import_configs(ADMIN, folder)
    assert {file.name: file.refused for file in report.files if file.refused} == {
        "loop": "it is a link that leads in a circle, or cannot be followed",
        f"{profile}/gone": "it is a link to nothing",
        f"{profile}/app/round.conf": "it is a link that leads in a circle, or cannot be followed",
    }


def test_an_export_follows_no_link(tmp_path):
    config = make_catalog()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / config.profile.name).symlink_to(elsewhere)
    with pytest.raises(FolderRefused, match="is a link"):
        export_configs(ADMIN, out, force=True)
    assert list(elsewhere.iterdir()) == []


def test_a_folder_is_not_read_beyond_its_borders(folder, profile, tmp_path):
    secret = tmp_path / "secret.conf"
    secret.write_text('K = "v"')
    (folder / profile / "app" / "link.conf").symlink_to(secret)
    (folder / profile / "app" / "inside.conf").symlink_to("csi.so.conf")
    os.mkfifo(folder / profile / "app" / "pipe.conf")
    (folder / profile / "a b").mkdir()
    (folder / profile / "app" / "large.conf").write_bytes(b"x" * (2**20 + 1))
    report = import_configs(ADMIN, folder)
    assert {file.name.rpartition("/")[2] for file in report.files if file.refused} == {
        "link.conf",
        "pipe.conf",
        "a b",
        "large.conf",
    }
    assert everything() == [0]


def test_what_is_no_configuration_is_passed_over_and_told(folder, profile):
    put(
        folder,
        {
            "README.md": "x",
            f"{profile}/notes.txt": "x",
            f"{profile}/app/app.conf.orig": "x",
            f"{profile}/app/spare.conf": "x",
            "default/default/default.conf": 'AppPlugin = "sample-app"',
            "default/default/container-basic.conf": "\0tar\0",
            ".git/config": "x",
        },
    )
    report = import_configs(ADMIN, folder)
    assert effects(report) == {f"{profile}/app": Effect.MADE}
    assert {file.name for file in report.files if not file.taken} == {
        "README.md",
        f"{profile}/notes.txt",
        f"{profile}/app/app.conf.orig",
        f"{profile}/app/spare.conf",
        "default/default/default.conf",
        "default/default/container-basic.conf",
    }


def test_what_files_cannot_hold_is_refused_before_anything_is_written(tmp_path):
    bad = make_catalog(appPlugin="a", appPluginParameters={"two words": "x"})
    report = export_configs(ADMIN, tmp_path / "out")
    assert [file.name for file in report.files if file.refused] == [str(bad)]
    assert not (tmp_path / "out").exists()


def test_a_plan_that_no_longer_fits_is_refused(folder, profile):
    row = make_catalog(profile, "app", storagePlugin="csi.so", archivePlugin="sample-archive")
    row.plan = PlanLayout(stages=(("backup-plugin",), ("retention-plugin",))).wire()
    row.save()
    before = everything()
    report = import_configs(ADMIN, folder)
    assert report.refused
    assert any("plan" in file.refused for file in report.files)
    assert everything() == before


def test_what_a_plugin_declares_secret_is_masked_left_out_and_kept(tmp_path, profile, settings):
    settings.FOSSUL_SECRETS_KEYS = ["the first key"]
    publish_all()
    name = f"{profile}/app"
    files = {
        f"{name}/app.conf": MAIN.replace("sample-app", "vault"),
        f"{name}/vault.conf": 'Opening = "hunter2"\nHost = "db"\n',
        f"{name}/csi.so.conf": "",
    }
    folder = put(tmp_path / "files", files)
    told = import_configs(ADMIN, folder)
    assert "hunter2" not in str([change.lines for change in told.changes])
    row = BackupConfig.objects.get(profile__name=profile)
    assert "hunter2" not in str(row.settings)
    export_configs(ADMIN, tmp_path / "out")
    assert (tmp_path / "out" / name / "vault.conf").read_text().splitlines()[1:] == ['Host = "db"']
    report = import_configs(ADMIN, tmp_path / "out")
    assert effects(report) == dict.fromkeys((f"{profile}/", name), Effect.UNCHANGED)
    assert row.versions.count() == 1


@pytest.fixture
def filesystem(tmp_path: Path, profile: str) -> Path:
    """A configuration of a plugin whose parameters are known; one that it needs is missing."""
    publish_all()
    files = {
        f"{profile}/app/app.conf": MAIN.replace("csi.so", "filesystem.so"),
        f"{profile}/app/sample-app.conf": "",
        f"{profile}/app/filesystem.so.conf": 'BackupDestPath = "/backups"\n',
    }
    return put(tmp_path / "files", files)


def test_a_value_that_its_plugin_cannot_take_is_refused_by_name(filesystem, profile):
    put(filesystem, {f"{profile}/app/filesystem.so.conf": 'CompressionLevel = "99"\n'})
    before = everything()
    report = import_configs(ADMIN, filesystem)
    (refused,) = [file for file in report.files if file.refused]
    assert (refused.name, refused.refused) == (
        f"{profile}/app",
        "StoragePluginParameters.CompressionLevel: '99' is not a whole number from 1 to 19",
    )
    assert everything() == before


def test_a_parameter_that_is_still_missing_is_told_and_the_files_are_taken(filesystem, profile):
    (change,) = import_configs(ADMIN, filesystem).changes
    assert (change.profile, change.effect) == (profile, Effect.MADE)
    assert change.remarks == (
        "StoragePluginParameters.BackupSrcPaths: the plugin filesystem.so needs it: fill it in",
    )
