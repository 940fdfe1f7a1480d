"""What keeps a configuration from being saved, and by which name it is told."""

import pytest

from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Configuration, Family, FilePolicy
from workflows_app.domain.editing.config_problems import LARGEST, is_needed, setting_problems
from workflows_app.domain.editing.starters import STARTERS, starter
from workflows_app.domain.parameter_kinds import number
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.results import ParameterSpec

DECLARED = {
    Family.STORAGE: (
        ParameterSpec(name="BackupSrcPaths", required=True),
        ParameterSpec(name="BackupDestPath", required=True),
        ParameterSpec(name="Level", required=True, default="3"),
    )
}


def made(*policies: FilePolicy, plan: PlanLayout | None = None, **settings: object) -> Configuration:
    return Configuration(Config.model_validate(settings), policies, plan)


def problems(configuration: Configuration, declared=DECLARED) -> dict[str, str]:
    return {problem.setting: problem.words for problem in setting_problems(configuration, declared)}


GOOD = {
    "storagePlugin": "filesystem",
    "storagePluginParameters": {"BackupSrcPaths": "/srv", "BackupDestPath": "/backup"},
}


def test_a_good_configuration_has_no_problem():
    assert problems(made(FilePolicy("daily", 1), **GOOD)) == {}


def test_every_parameter_that_a_plugin_needs_is_named():
    found = problems(made(storagePlugin="filesystem"))
    assert sorted(found) == [
        "StoragePluginParameters.BackupDestPath",
        "StoragePluginParameters.BackupSrcPaths",
    ]


def test_discovery_takes_the_place_of_the_source_paths_and_of_nothing_else():
    found = problems(made(storagePlugin="filesystem", autoDiscovery=True))
    assert list(found) == ["StoragePluginParameters.BackupDestPath"]
    assert not is_needed(DECLARED[Family.STORAGE][0], {}, auto_discovery=True)
    assert not is_needed(DECLARED[Family.STORAGE][2], {}, auto_discovery=False), "it has a default"


def test_parameters_of_a_plugin_that_is_not_known_are_taken_as_they_are():
    assert problems(made(storagePlugin="acme", storagePluginParameters={"X": "1"}), {}) == {}


@pytest.mark.parametrize(("settings", "setting"), [
    ({"appPlugin": "../evil"}, "AppPlugin"),
    ({"appPlugin": "a/b"}, "AppPlugin"),
    ({"appPlugin": "x", "appPluginParameters": {"two words": "v"}}, "AppPluginParameters.two words"),
    ({"appPlugin": "x", "appPluginParameters": {"K": "a\0b"}}, "AppPluginParameters.K"),
    ({"appPlugin": "x", "appPluginParameters": {"K": "sealed:abc"}}, "AppPluginParameters.K"),
    ({"restoreCmd": " ,x"}, "RestoreCmd"),
    ({"restoreCmd": "echo,\0"}, "RestoreCmd"),
    ({"restoreCmd": "echo,\ud800"}, "RestoreCmd"),
    ({"jobRetention": -1}, "JobRetention"),
    ({"jobRetention": LARGEST + 1}, "JobRetention"),
])  # fmt: skip
def test_a_bad_setting_is_named(settings, setting):
    assert list(problems(made(**settings))) == [setting]


@pytest.mark.parametrize(("policies", "setting"), [
    ((FilePolicy("with-dash", 1),), "Policies.0.Policy"),
    ((FilePolicy("safety", 1),), "Policies.0.Policy"),
    ((FilePolicy("", 1),), "Policies.0.Policy"),
    ((FilePolicy("a", 1), FilePolicy("a", 2)), "Policies.1.Policy"),
    ((FilePolicy("a", 0),), "Policies.0.BackupRetention"),
    ((FilePolicy("a", LARGEST + 1),), "Policies.0.BackupRetention"),
    ((FilePolicy("a", 1), FilePolicy("b", 1, -1)), "Policies.1.ArchiveRetention"),
])  # fmt: skip
def test_a_bad_policy_is_named_by_its_place(policies, setting):
    assert list(problems(made(*policies))) == [setting]


def test_a_plan_that_no_longer_fits_is_told_as_the_plan():
    layout = PlanLayout(stages=(("quiesce-plugin",), ("unquiesce-plugin",)))
    found = problems(made(plan=layout))
    assert list(found) == ["Plan"]
    assert "quiesce-plugin" in found["Plan"]


def test_each_starter_lacks_only_what_a_person_must_say():
    for begin in STARTERS:
        assert all("needs it" in words for words in problems(begin.configuration).values()), begin.key
    assert [begin.key for begin in STARTERS] == ["files", "postgresql", "mariadb", "kubernetes", "empty"]
    for key in ("postgresql", "mariadb"):
        assert starter(key).configuration.config.auto_discovery
    assert starter("nonsense") is STARTERS[0]


def test_what_another_value_makes_needless_is_not_needed():
    spec = ParameterSpec(name="Folder", required=True, unless="Method=hold")
    assert is_needed(spec, {}, auto_discovery=False)
    assert is_needed(spec, {"Method": "copy"}, auto_discovery=False)
    assert not is_needed(spec, {"Method": " hold "}, auto_discovery=False)


def test_a_refusal_has_no_secret_in_it():
    declared = {Family.APP: (ParameterSpec(name="Pin", secret=True, form=number(1, 9)),)}
    found = problems(made(appPlugin="vault", appPluginParameters={"Pin": "hunter2"}), declared)
    assert found == {"AppPluginParameters.Pin": "it is not what the plugin takes"}
