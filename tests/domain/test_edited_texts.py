"""The texts of a configuration, edited: read back as written, masks kept, nothing lost in silence."""

from dataclasses import replace

import pytest

from workflows_app.domain.config import Config, WhenBusy
from workflows_app.domain.config_files.configuration import NO_PLAN, Configuration, FilePolicy
from workflows_app.domain.config_files.display import MAIN, editable
from workflows_app.domain.config_files.text_places import line_of
from workflows_app.domain.editing.edited_texts import (
    RETYPE,
    fingerprint_text,
    read_texts,
    without_typed_secrets,
)
from workflows_app.domain.plans.plan_layouts import MAX_TEXT, parse_layout
from workflows_app.domain.retention.keep_rules import KeepRules

SECRET = "correct-horse-battery"
DECLARED = {"Opening"}
PLAN = f"""
[Plan]
Stages = [["warm"], ["quiesce-plugin"], ["backup-plugin"], ["unquiesce-plugin"]]
[Plan.Commands]
warm = "curl,--token,{SECRET}"
"""


def made(**settings: object) -> Configuration:
    values = {
        "appPlugin": "vault",
        "appPluginParameters": {"Opening": SECRET, "Host": "h", "Url": f"db://u:{SECRET}@host"},
        "storagePlugin": "filesystem",
        "storagePluginParameters": {"BackupSrcPaths": "/srv/my files", "two words": "x"},
        "restoreCmd": f"curl,--token,{SECRET}",
        "containerPlatform": "kubernetes",
        "jobRetention": 50,
    }
    policies = (
        FilePolicy("daily", 5, 2, WhenBusy.QUEUE, KeepRules(weekly=4), KeepRules(monthly=6)),
        FilePolicy("weekly", 4).completed(),
    )
    config = Config.model_validate(values | settings)
    return Configuration(config, policies, parse_layout(PLAN)).settled()


def edited(configuration: Configuration, part: str, old: str, new: str):
    texts = editable(configuration, DECLARED)
    assert old in texts[part], texts[part]
    return read_texts(texts | {part: texts[part].replace(old, new)}, configuration, DECLARED)


@pytest.mark.parametrize(("line", "words"), [
    ('Description = "x"', "it stands in the form alone"),
    ("Disabled = true", "on the page that manages it"),
])  # fmt: skip
def test_what_the_text_does_not_decide_is_not_lost_in_silence(line, words):
    texts = editable(made(), DECLARED)
    reading = read_texts(texts | {"Main": f"{line}\n{texts['Main']}"}, made(), DECLARED)
    (problem,) = reading.problems
    assert (problem.part, problem.line, problem.what) == ("Main", 1, line.split()[0])
    assert words in problem.words


def test_what_is_not_touched_is_read_back_whole():
    texts = editable(made(), DECLARED)
    assert SECRET not in str(texts)
    reading = read_texts(texts, made(), DECLARED)
    assert reading.problems == ()
    assert reading.configuration == made()
    assert reading.secrets == {}


def test_a_change_anywhere_is_read_and_secrets_stay():
    reading = edited(made(), MAIN, "JobRetention = 50", "jobretention = 9")
    assert reading.configuration == made(jobRetention=9)
    reading = edited(made(), "App", '"h"', '"other"')
    assert reading.configuration is not None
    parameters = reading.configuration.config.app_plugin_parameters
    assert parameters == {"Opening": SECRET, "Host": "other", "Url": f"db://u:{SECRET}@host"}


def test_a_changed_mask_replaces_the_secret_and_a_removed_line_removes_it():
    reading = edited(made(), "App", 'Opening = "***"', 'Opening = "a-new-one"')
    assert reading.configuration is not None
    assert reading.configuration.config.app_plugin_parameters["Opening"] == "a-new-one"
    assert reading.secrets == {"AppPluginParameters.Opening": "a-new-one"}
    reading = edited(made(), "App", 'Opening = "***"\n', "")
    assert reading.configuration is not None
    assert "Opening" not in reading.configuration.config.app_plugin_parameters
    reading = edited(made(), MAIN, "curl,--token,***", "curl,--token,other")
    assert reading.secrets == {"RestoreCmd": "curl,--token,other"}


@pytest.mark.parametrize(("part", "old", "new", "line", "words"), [
    (MAIN, "JobRetention = 50", "JobRetention = ", 6, "not TOML"),
    (MAIN, "JobRetention = 50", 'JobRetention = "x"', 6, "a whole number"),
    (MAIN, "JobRetention = 50", "JobRetentoin = 50", 6, "no such setting"),
    (MAIN, 'Policy = "weekly"', 'Policy = "week-ly"', 15, "not a policy name"),
    (MAIN, "curl,--token,***", "wget,--token,***", 7, "masked as"),
    (MAIN, 'warm = "curl,--token,***"', 'warm = "wget,--token,***"', 37, "masked as"),
    (MAIN, 'warm = "curl,--token,***"', f'warm = "{RETYPE}"', 37, "once more"),
    (MAIN, 'AppPlugin = "vault"', 'AppPlugin = ""', 0, "names no app plugin"),
    (MAIN, 'AppPlugin = "vault"', 'AppPlugin = "safe"', 2, "there is none"),
    ("App", 'Host = "h"', "Host", 1, 'not Key = "value"'),
    ("App", 'Host = "h"', 'Host = "h"\nToken = "***"', 2, "there is none"),
    ("App", "db://u:***@host", "db://u:***@other", 3, "masked as"),
    ("App", 'Host = "h"', f'Host = "{RETYPE}"', 1, "once more"),
    ("App", 'Host = "h"', 'Host = "h"\nHost = "i"', 1, "gives it, too"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_by_file_line_and_key(part, old, new, line, words):
    reading = edited(made(), part, old, new)
    assert reading.configuration is None
    told = [(p.line, p.words) for p in reading.problems if words in p.words]
    assert told, reading.problems
    assert line in [number for number, _ in told]
    assert SECRET not in str(reading.problems)


def test_what_fossul_would_lose_is_a_remark():
    (remark,) = read_texts(editable(made(), DECLARED), made(), DECLARED).remarks
    assert (remark.part, remark.what, remark.line) == ("Storage", "BackupSrcPaths", 1)


def test_parameters_that_no_text_can_hold_stay():
    reading = edited(made(), "Storage", "/srv/my files", "/srv")
    assert reading.configuration is not None
    parameters = reading.configuration.config.storage_plugin_parameters
    assert parameters == {"BackupSrcPaths": "/srv", "two words": "x"}


def test_the_plan_is_what_the_text_says_and_none_where_it_has_none():
    texts = editable(made(), DECLARED)
    without = texts[MAIN][: texts[MAIN].index("[Plan]")]
    reading = read_texts(texts | {MAIN: without}, made(), DECLARED)
    assert reading.configuration == replace(made(), plan=NO_PLAN)
    reading = edited(made(), MAIN, "[Plan]\n", '[Plan]\nFreezeBudget = "10m"\n')
    assert reading.configuration is not None
    assert reading.configuration.layout.freeze_budget_seconds == 600
    assert reading.configuration.layout.commands == {"warm": f"curl,--token,{SECRET}"}


def test_a_typed_secret_is_not_shown_again_and_asks_to_be_typed_again():
    text = (
        f'Opening = "{SECRET}"\nHost = "h"\nUrl = "db://u:{SECRET}@h"\nPassword = "env:SHOP"\nToken = "***"'
    )
    shown = without_typed_secrets(text, DECLARED)
    assert SECRET not in shown
    assert shown.count(RETYPE) == 2
    assert 'Host = "h"' in shown
    assert 'Password = "env:SHOP"' in shown
    assert 'Token = "***"' in shown
    assert RETYPE in without_typed_secrets('Opening = "***"', DECLARED, ["Opening"])


def test_a_fingerprint_has_no_secret_and_changes_with_everything_else():
    one, other = (f'Opening = "{value}"\nHost = "h"\n' for value in (SECRET, "***"))
    assert fingerprint_text(one, DECLARED) == fingerprint_text(other.replace("\n", "\r\n"), DECLARED)
    assert SECRET not in fingerprint_text(one, DECLARED)
    assert fingerprint_text(one, DECLARED) != fingerprint_text(one.replace('"h"', '"i"'), DECLARED)
    assert fingerprint_text(one, DECLARED) != fingerprint_text('Host = "h"\n', DECLARED)


@pytest.mark.parametrize(("setting", "words", "line"), [
    ("the file", "it is not TOML: Expected '=' (at line 3, column 2)", 3),
    ("JobRetention", "it must be a whole number", 1),
    ("BackupRetentions[2].Policy", "", 8),
    ("BackupRetentions[2].weekly", "", 7),
    ("BackupRetentions[3].Policy", "", 0),
    ("Plan.Steps.backup-plugin.Timeout", "", 12),
    ("Plan.Nonsense", "", 10),
    ("nowhere", "", 0),
])  # fmt: skip
def test_a_setting_is_found_where_it_stands(setting, words, line):
    text = """jobretention = "x"
AppPlugin = ""

[[BackupRetentions]]
Policy = "daily"

[[backupretentions]]
Policy = "weekly"

[Plan]
[Plan.Steps.backup-plugin]
Timeout = "x"
"""
    assert line_of(text, setting, words) == line


def test_a_text_that_is_too_long_is_not_read():
    reading = read_texts({MAIN: "#" * (MAX_TEXT + 1), "App": "#" * (MAX_TEXT + 1)}, made(), DECLARED)
    assert reading.configuration is None
    assert {problem.part for problem in reading.problems if "longer than" in problem.words} == {MAIN, "App"}
