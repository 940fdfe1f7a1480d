"""A configuration as people read it: masked, never failing, and different only where it is."""

from dataclasses import replace

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Configuration, FilePolicy
from workflows_app.domain.config_files.display import changes, displayed

SECRET = "correct-horse-battery"
LABELS = ("before", "after")


def made(**settings: object) -> Configuration:
    return Configuration(Config.model_validate(settings), (FilePolicy("daily", 5),))


def with_parameters(**values: str) -> Configuration:
    return made(appPlugin="x", appPluginParameters=values)


def test_secrets_by_name_by_value_and_by_declaration_are_masked():
    configuration = made(
        appPlugin="x",
        appPluginParameters={"Password": SECRET, "Opening": SECRET, "Url": f"db://u:{SECRET}@host"},
        appQuiesceCmd=f"curl,--token,{SECRET}",
    )
    shown = "".join(displayed(configuration, declared={"Opening"}).values())
    assert SECRET not in shown
    assert shown.count("***") == 4
    assert "db://u:***@host" in shown


def test_a_reference_is_no_secret():
    assert "env:SHOP" in displayed(with_parameters(Password="env:SHOP"))["app plugin x"]


def test_equal_ones_have_no_difference():
    assert changes(with_parameters(Password=SECRET), with_parameters(Password=SECRET), LABELS) == ()


def test_of_a_changed_secret_it_is_told_that_it_changed_not_how():
    lines = changes(with_parameters(Opening=SECRET), with_parameters(Opening="other"), LABELS, {"Opening"})
    text = "\n".join(lines)
    assert SECRET not in text
    assert "other" not in text.replace("another", "")
    assert "+Opening" in text
    assert "another value" in text


def test_what_no_file_can_hold_is_shown_all_the_same():
    both = made(
        storagePlugin="filesystem",
        storagePluginParameters={"BackupDestPath": "/one", "two words": "x"},
        archivePlugin="filesystem",
        archivePluginParameters={"ArchivePath": "/two"},
    )
    shown = displayed(both)
    assert "/one" in shown["storage plugin filesystem"]
    assert "# two words" in shown["storage plugin filesystem"]
    assert "/two" in shown["archive plugin filesystem"]


def test_a_plugin_that_comes_and_one_that_goes_are_told():
    lines = changes(made(appPlugin="x"), made(storagePlugin="y"), LABELS)
    assert "+++ after: nothing" in lines
    assert "--- before: nothing" in lines


def test_policies_are_part_of_the_difference():
    old = made()
    new = replace(old, policies=(FilePolicy("daily", 7),))
    assert "-RetentionNumber = 5" in changes(old, new, LABELS)
    assert "+RetentionNumber = 7" in changes(old, new, LABELS)
