"""Keep rules in the editor: its TOML has them, its form leaves them alone."""

from dataclasses import replace

import pytest

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Configuration, FilePolicy
from workflows_app.domain.editing.lost_rules import lost_rules
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules
from workflows_app.services.configurations.plugins import Published
from workflows_app.web.editors.drafts import draft_of, read_draft
from workflows_app.web.editors.sides import Sides, read_sides, sides_of

RULES = KeepRules(weekly=4)
ARCHIVE_RULES = KeepRules(monthly=6)
DAILY = FilePolicy("daily", 5, keep_rules=RULES, archive_keep_rules=ARCHIVE_RULES)
STORED = Configuration(Config(storage_plugin="filesystem"), (DAILY,))
FORM = {
    "opened": "1",
    "StoragePlugin": "filesystem",
    "JobRetention": "0",
    "Policies.0.Policy": "daily",
    "Policies.0.BackupRetention": "5",
    "Policies.0.Opened": "daily",
}
RULED = "\n[KeepRules.daily]\nWeekly = 4\n"
ARCHIVE_RULED = "\n[ArchiveKeepRules.daily]\nMonthly = 6\n"


@pytest.fixture
def opened() -> Sides:
    return sides_of(draft_of(1, "x", "", STORED), STORED, Published())


def sent(opened: Sides, form: dict[str, str] | None = None, new: str = RULED) -> Sides:
    """Both sides after a change of the form, or of the rules in the TOML to ``new``."""
    texts = {f"Toml.{part}": text.replace(RULED, new) for part, text in opened.texts.items()}
    agreed = {"Agreed.form": opened.agreed.form, "Agreed.text": opened.agreed.text}
    agreed |= {f"Agreed.policy.{row}": name for row, name in opened.agreed.policies.items()}
    post = FORM | texts | agreed | (form or {})
    return read_sides(post, read_draft(post, STORED, Published()), STORED, Published())


def rules(sides: Sides) -> KeepRules | None:
    assert sides.problems == ()
    return sides.made.policies[0].keep_rules


def test_the_toml_shows_them(opened):
    assert RULED in opened.texts["Main"]
    assert rules(sent(opened)) == RULES


def test_a_change_in_the_form_keeps_them(opened):
    changed = sent(opened, {"Policies.0.BackupRetention": "6"})
    assert changed.made.policies[0].keep_backups == 6
    assert rules(changed) == RULES
    assert RULED in changed.texts["Main"]


def test_a_change_in_the_toml_changes_them(opened):
    assert rules(sent(opened, new=RULED.replace("4", "9"))) == KeepRules(weekly=9)
    assert rules(sent(opened, new="")) == NO_RULES


def test_a_mistake_in_them_is_told_at_the_toml(opened):
    (problem,) = sent(opened, new=RULED.replace("4", '"x"')).problems
    assert (problem.part, problem.what) == ("Main", "KeepRules.daily.Weekly")
    assert problem.line == opened.texts["Main"].split("\n").index("Weekly = 4") + 1


def both(sides: Sides) -> list[tuple[str, KeepRules | None, KeepRules | None]]:
    assert sides.problems == ()
    return [(p.name, p.keep_rules, p.archive_keep_rules) for p in sides.made.policies]


def test_those_of_archives_are_in_the_toml_and_left_alone_by_the_form(opened):
    assert ARCHIVE_RULED in opened.texts["Main"]
    changed = sent(opened, {"Policies.0.BackupRetention": "6"})
    assert both(changed) == [("daily", RULES, ARCHIVE_RULES)]


def test_a_policy_that_is_renamed_in_its_row_takes_them_along(opened):
    renamed = sent(opened, {"Policies.0.Policy": "nightly"})
    assert both(renamed) == [("nightly", RULES, ARCHIVE_RULES)]
    assert "[KeepRules.nightly]" in renamed.texts["Main"]
    assert lost_rules(STORED, renamed.made) == ()


def test_they_survive_a_name_that_is_typed_letter_by_letter(opened):
    typing = opened
    for name in ("n", "ni", "", "nig", "ni!", "nightly"):
        typing = sent(typing, {"Policies.0.Policy": name})
        assert typing.problems == (), "no TOML is written that cannot be read back"
    assert both(typing) == [("nightly", RULES, ARCHIVE_RULES)]


def test_they_survive_a_decision_for_the_form_against_a_broken_toml(opened):
    renamed = sent(opened, {"Policies.0.Policy": "night"})
    renamed = replace(renamed, texts={**renamed.texts, "Main": "broken"})
    taken = sent(renamed, {"Policies.0.Policy": "nightly", "take": "form"})
    assert both(taken) == [("nightly", RULES, ARCHIVE_RULES)]


def test_rules_that_the_toml_changed_go_with_the_new_name(opened):
    changed = sent(opened, new=RULED.replace("4", "9"))
    renamed = sent(changed, {"Policies.0.Policy": "n"})
    renamed = sent(renamed, {"Policies.0.Policy": "nightly"})
    assert both(renamed) == [("nightly", KeepRules(weekly=9), ARCHIVE_RULES)]


def test_another_policy_in_another_row_takes_none_and_that_is_told(opened):
    other = {"Policies.1.Policy": "nightly", "Policies.1.BackupRetention": "5"}
    assert both(sent(opened, other)) == [("daily", RULES, ARCHIVE_RULES), ("nightly", NO_RULES, NO_RULES)]
    emptied = {"Policies.0.Policy": "", "Policies.0.BackupRetention": ""}
    replaced = sent(opened, other | emptied)
    assert both(replaced) == [("nightly", NO_RULES, NO_RULES)]
    assert [(lost.of, lost.words) for lost in lost_rules(STORED, replaced.made)] == [
        ("backups", "4 weekly"),
        ("archives", "6 monthly"),
    ]


def test_a_policy_that_takes_another_ones_name_takes_no_rules_twice(opened):
    swapped = sent(
        opened,
        {"Policies.0.Policy": "weekly", "Policies.1.Policy": "daily", "Policies.1.BackupRetention": "5"},
    )
    assert both(swapped) == [("weekly", NO_RULES, NO_RULES), ("daily", RULES, ARCHIVE_RULES)]


def test_a_rename_in_the_toml_alone_is_refused_with_the_tables_that_were_forgotten(opened):
    texts = dict(opened.texts)
    texts["Main"] = texts["Main"].replace('Policy = "daily"', 'Policy = "nightly"')
    problems = sent(replace(opened, texts=texts)).problems
    assert [problem.what for problem in problems] == ["KeepRules.daily", "ArchiveKeepRules.daily"]
    assert "correct it, or remove it" in problems[0].words
