"""Rules that an edit would drop with their policy are told; those of a renamed policy are not."""

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Configuration, FilePolicy
from workflows_app.domain.editing.lost_rules import LostRules, lost_rules
from workflows_app.domain.retention.keep_rules import KeepRules

DAILY = FilePolicy("daily", 5, keep_rules=KeepRules(weekly=4), archive_keep_rules=KeepRules(monthly=6))


def of(*policies: FilePolicy) -> Configuration:
    return Configuration(Config(), policies)


def test_the_rules_of_a_policy_that_is_gone_are_told() -> None:
    lost = lost_rules(of(DAILY, FilePolicy("weekly", 1)), of(FilePolicy("nightly", 5)))
    assert lost == (LostRules("daily", "backups", "4 weekly"), LostRules("daily", "archives", "6 monthly"))


def test_a_renamed_policy_has_lost_what_did_not_go_with_it() -> None:
    nightly = FilePolicy("nightly", 5, keep_rules=DAILY.keep_rules)
    assert lost_rules(of(DAILY), of(nightly)) == (LostRules("daily", "archives", "6 monthly"),)


def test_a_policy_that_had_the_same_rules_before_has_not_inherited_any() -> None:
    other = FilePolicy("other", 5, keep_rules=DAILY.keep_rules, archive_keep_rules=DAILY.archive_keep_rules)
    assert len(lost_rules(of(DAILY, other), of(other))) == 2


def test_rules_that_are_changed_in_their_policy_are_not_lost() -> None:
    assert lost_rules(of(DAILY), of(FilePolicy("daily", 5))) == ()
