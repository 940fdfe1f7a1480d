"""Keep rules in the editor: its TOML has them, its form leaves them alone."""

import pytest

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Configuration, FilePolicy
from workflows_app.domain.keep_rules import NO_RULES, KeepRules
from workflows_app.services.plugins import Published
from workflows_app.web.drafts import draft_of, read_draft
from workflows_app.web.sides import Sides, read_sides, sides_of

RULES = KeepRules(weekly=4)
STORED = Configuration(Config(storage_plugin="filesystem"), (FilePolicy("daily", 5, keep_rules=RULES),))
FORM = {
    "opened": "1",
    "StoragePlugin": "filesystem",
    "JobRetention": "0",
    "Policies.0.Policy": "daily",
    "Policies.0.BackupRetention": "5",
}
RULED = "\n[KeepRules.daily]\nWeekly = 4\n"


@pytest.fixture
def opened() -> Sides:
    return sides_of(draft_of(1, "x", "", STORED), STORED, Published())


def sent(opened: Sides, form: dict[str, str] | None = None, new: str = RULED) -> Sides:
    """Both sides after a change of the form, or of the rules in the TOML to ``new``."""
    texts = {f"Toml.{part}": text.replace(RULED, new) for part, text in opened.texts.items()}
    agreed = {"Agreed.form": opened.agreed.form, "Agreed.text": opened.agreed.text}
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
