"""Main files, and all files of a configuration together."""

import string
import tomllib

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workflows_app.domain.config import CommandField, Config, WhenBusy
from workflows_app.domain.config_files.configuration import SCALAR_KEYS, Configuration, FilePolicy
from workflows_app.domain.config_files.files import read_files, write_files
from workflows_app.domain.config_files.main_file import read_main, write_main
from workflows_app.domain.config_files.plugin_file import read_plugin
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.retention.keep_rules import MOST, NO_RULES, KeepRules, Period

# src/cli/configs/example/mariadb/mariadb/mariadb.conf, and what `addConfig` makes of a file (§2).
EXAMPLE = b"""
ContainerPlatform = "openshift"
AccessWithinCluster = "true"
AppPlugin = "mariadb-dump.so"
StoragePlugin = "container-basic.so"
ArchivePlugin = ""
AutoDiscovery = true
JobRetention = 100

[[BackupRetentions]]
  Policy = "daily"
  RetentionNumber = 5

[[BackupRetentions]]
  Policy = "weekly"
  RetentionNumber = 2
"""
DUMPED = b"""ProfileName = ""
ConfigName = ""
WorkflowId = ""
WorkflowTimestamp = 0
AppPlugin = "sample-app"
SelectedBackupPolicy = "daily"
SelectedBackupRetention = 5
SelectedWorkflowId = 0
PreAppQuiesceCmd = "echo,pre app quiesce command"
AppQuiesceCmd = ""

[Backup]
  Name = ""
  Epoch = 0

[AppPluginParameters]
  Key = "value"
"""


def notes(content: bytes) -> list[tuple[str, str]]:
    return [(note.outcome.value, note.what) for note in read_main(content).notes]


def test_fossuls_example_is_taken_whole():
    read = read_main(EXAMPLE)
    config = read.configuration.config
    assert read.notes == ()
    assert (config.app_plugin, config.storage_plugin) == ("mariadb-dump.so", "container-basic.so")
    assert (config.auto_discovery, config.job_retention) == (True, 100)
    assert (config.container_platform, config.access_within_cluster) == ("openshift", "true")
    assert read.configuration.policies == (FilePolicy("daily", 5), FilePolicy("weekly", 2))


def test_of_a_file_that_fossul_wrote_what_belongs_to_a_run_is_dropped():
    read = read_main(DUMPED)
    assert (
        read.configuration.config.wire()
        == Config.model_validate(
            {"appPlugin": "sample-app", "preAppQuiesceCmd": "echo,pre app quiesce command"}
        ).wire()
    )
    assert set(notes(DUMPED)) == {
        ("dropped", "SelectedBackupPolicy"),
        ("dropped", "SelectedBackupRetention"),
        ("dropped", "AppPluginParameters"),
    }


def test_keys_are_matched_without_regard_to_case_and_unknown_ones_are_told():
    text = 'aPPplugin = "x"\nJOBRETENTION = 3\nPluginDir = "/p"\n"AcceßWithinCluster" = "true"'
    read = read_main(text.encode())
    assert (read.configuration.config.app_plugin, read.configuration.config.job_retention) == ("x", 3)
    assert notes(b'PluginDir = "/p"') == [("dropped", "PluginDir")]
    assert read.configuration.config.access_within_cluster == ""


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("AccessWithinCluster = true", "AccessWithinCluster"),
        ('JobRetention = "5"', "JobRetention"),
        ("JobRetention = 5.5", "JobRetention"),
        ("JobRetention = true", "JobRetention"),
        ("JobRetention = -1", "JobRetention"),
        ("JobRetention = 99999999999999999999", "JobRetention"),
        ('AutoDiscovery = "true"', "AutoDiscovery"),
        ("AutoDiscovery = 1", "AutoDiscovery"),
        ("AppPlugin = 1979-05-27", "AppPlugin"),
        ("WorkflowId = 12", "WorkflowId"),
        ('Backup = "x"', "Backup"),
        ('AppPlugin = "a"\nappplugin = "b"', "AppPlugin"),
        ('AppQuiesceCmd = "a\\u0000b"', "AppQuiesceCmd"),
        ("BackupRetentions = 5", "BackupRetentions"),
        ("BackupRetentions = [5]", "BackupRetentions[1]"),
        ("[[BackupRetentions]]\nPolicy = 5", "BackupRetentions[1].Policy"),
        ("[[BackupRetentions]]\nRetentionNumber = 5", "BackupRetentions[1].Policy"),
        ('[[BackupRetentions]]\nPolicy = "a-b"\nRetentionNumber = 1', "BackupRetentions[1].Policy"),
        (
            '[[ArchiveRetentions]]\nPolicy = "a"\nRetentionNumber = "1"',
            "ArchiveRetentions[1].RetentionNumber",
        ),
        (
            '[[BackupRetentions]]\nPolicy = "a"\nRetentionNumber = -1',
            "BackupRetentions[1].RetentionNumber",
        ),
        (
            '[[BackupRetentions]]\nPolicy = "a"\nRetentionNumber = 1\nWhenBusy = "x"',
            "BackupRetentions[1].WhenBusy",
        ),
        ("Description = 5", "Description"),
        (f'Description = "{"x" * 201}"', "Description"),
        ('Description = "a\\u0000b"', "Description"),
        ('Disabled = "true"', "Disabled"),
        ("Disabled = 1", "Disabled"),
        ("KeepRules = 5", "KeepRules"),
        ('[ArchiveKeepRules.daily]\nDaily = "1"', "ArchiveKeepRules.daily.Daily"),
        ("[KeepRules]\ndaily = 5", "KeepRules.daily"),
        ('[KeepRules.daily]\nWeekly = "5"', "KeepRules.daily.Weekly"),
        ("[KeepRules.daily]\nWeekly = true", "KeepRules.daily.Weekly"),
        ("[KeepRules.daily]\nweekly = -1", "KeepRules.daily.Weekly"),
        ("[KeepRules.daily]\nWeekly = 10001", "KeepRules.daily.Weekly"),
        ('[KeepRules.daily]\nZone = "Mars/Base"', "KeepRules.daily.Zone"),
        ("Plan = 5", "Plan"),
        ('[Plan]\nFreezeBudget = "x"', "Plan.FreezeBudget"),
        ("AppPlugin", "the file"),
        ("A = " + "[" * 5000, "the file"),
    ],
)
def test_what_is_wrong_is_refused_by_its_key(text, field):
    with pytest.raises(ConfigInvalid) as caught:
        read_main(text.encode())
    assert caught.value.field == field


def test_text_that_is_not_utf_8_is_refused_by_line():
    with pytest.raises(ConfigInvalid, match="line 2"):
        read_main(b'AppPlugin = "x"\n# \xff')


def test_days_are_no_number_and_the_policy_is_left_out_loudly():
    content = b'[[BackupRetentions]]\nPolicy = "daily"\nRetentionDays = 7'
    read = read_main(content)
    assert read.configuration.policies == ()
    (note,) = read.notes
    assert (note.outcome, note.what) == ("dropped", "BackupRetentions[1].daily")
    assert "RetentionDays" in note.why


def test_of_two_entries_for_a_policy_the_first_counts():
    content = b"""[[BackupRetentions]]
Policy = "a"
RetentionNumber = 1
[[BackupRetentions]]
Policy = "a"
RetentionNumber = 2
[[ArchiveRetentions]]
Policy = "b"
RetentionNumber = 3
[[BackupRetentions]]
Policy = "zero"
RetentionNumber = 0
"""
    assert read_main(content).configuration.policies == (
        FilePolicy("a", 1),
        FilePolicy("zero", 0),
        FilePolicy("b", 0, 3),
    )
    assert notes(content) == [
        ("dropped", "BackupRetentions[2].a"),
        ("changed", "policy zero"),
        ("changed", "policy b"),
    ]


RULED = b"""[[BackupRetentions]]
Policy = "daily"
RetentionNumber = 1
[[BackupRetentions]]
Policy = "weekly"
RetentionNumber = 1
[[BackupRetentions]]
Policy = "none"
RetentionNumber = 1
[KeepRules.daily]
daily = 7
Weekly = 4
Days = 3
[KeepRules.none]
[KeepRules.gone]
Yearly = 1
"""


def test_keep_rules_belong_to_their_policy_and_an_empty_table_is_none():
    policies = {policy.name: policy.keep_rules for policy in read_main(RULED).configuration.policies}
    assert policies == {"daily": KeepRules(daily=7, weekly=4), "weekly": None, "none": NO_RULES}
    assert notes(RULED) == [("dropped", "KeepRules.daily.Days"), ("dropped", "KeepRules.gone")]


def test_keep_rules_stand_in_a_table_that_fossul_passes_over():
    policies = (FilePolicy("daily", 1, keep_rules=KeepRules(daily=7, zone="Europe/Berlin")),)
    table = tomllib.loads(write_main(Configuration(Config(), policies)))
    assert table["BackupRetentions"] == [{"Policy": "daily", "RetentionNumber": 1}]
    assert table["KeepRules"] == {"daily": {"Daily": 7, "Zone": "Europe/Berlin"}}


def test_archive_rules_stand_in_a_table_of_their_own():
    rules, archive_rules = KeepRules(daily=7), KeepRules(monthly=12, zone="Europe/Berlin")
    policies = (FilePolicy("daily", 1, keep_rules=rules, archive_keep_rules=archive_rules),)
    written = write_main(Configuration(Config(), policies))
    table = tomllib.loads(written)
    assert table["ArchiveKeepRules"] == {"daily": {"Monthly": 12, "Zone": "Europe/Berlin"}}
    assert "ArchiveRetentions" not in table, "a number that is not there is not written"
    (read,) = read_main(written.encode()).configuration.policies
    assert (read.keep_archives, read.keep_rules, read.archive_keep_rules) == (0, rules, archive_rules)


def test_a_missing_plugin_file_is_refused_and_a_spare_one_is_told():
    configuration, reports = read_files("x", {"x.conf": b'AppPlugin = "p"', "q.conf": b""})
    assert configuration is None
    assert {r.name: bool(r.refused) for r in reports} == {"x.conf": False, "p.conf": True, "q.conf": False}
    assert [note.outcome for note in reports[2].notes] == ["dropped"]


@pytest.mark.parametrize("plugin", ["../../etc/passwd", "a/b", ".", "x", "a b"])
def test_a_plugin_whose_file_lies_elsewhere_or_is_the_main_file_is_refused(plugin):
    configuration, reports = read_files("x", {"x.conf": f'StoragePlugin = "{plugin}"'.encode()})
    assert configuration is None
    assert "StoragePlugin" in reports[0].refused


def test_a_plan_that_breaks_a_rule_is_refused_with_its_step():
    main = b'AppPlugin = "p"\n[Plan]\nStages = [["unquiesce-plugin"], ["quiesce-plugin"]]'
    configuration, reports = read_files("x", {"x.conf": main, "p.conf": b""})
    assert configuration is None
    assert "quiesce-plugin" in reports[0].refused


def test_one_plugin_for_two_families_shares_its_file():
    config = Config(app_plugin="p", storage_plugin="p", app_plugin_parameters={"A": "1"})
    same = config.model_copy(update={"storage_plugin_parameters": {"A": "1"}})
    files = write_files("x", Configuration(same, ()))
    assert files["p.conf"] == 'A = "1"\n'
    assert set(files) == {"x.conf", "p.conf"}
    two = config.model_copy(update={"storage_plugin_parameters": {"A": "2"}})
    with pytest.raises(ConfigInvalid, match=r"StoragePluginParameters\.A: .* share a file"):
        write_files("x", Configuration(two, ()))


PARAMETERS = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.sampled_from(["1", "two words", ""]))


@given(PARAMETERS, PARAMETERS)
def test_families_that_share_a_file_keep_what_is_theirs_and_fossul_gives_each_all(storage, archive):
    config = Config(
        storage_plugin="p",
        archive_plugin="p",
        storage_plugin_parameters=storage,
        archive_plugin_parameters=archive,
    )
    assume(all(storage[key] == archive[key] for key in storage.keys() & archive.keys()))
    files = write_files("x", Configuration(config, ()))
    configuration, reports = read_files("x", {name: text.encode() for name, text in files.items()})
    assert configuration is not None, reports
    assert configuration.config.wire() == config.wire()
    assert reports[1].taken == len(storage | archive)
    assert dict(read_plugin(files["p.conf"].encode()).values) == storage | archive, "as Fossul, flat"


def test_what_stands_before_the_heads_of_a_shared_file_is_for_all():
    main = b'StoragePlugin = "p"\nArchivePlugin = "p"'
    shared = b'A = "1"\n[ArchivePluginParameters]\r\nB = two\n[StoragePluginParameters]\nC = "3"'
    configuration, reports = read_files("x", {"x.conf": main, "p.conf": shared})
    assert configuration is not None, reports
    assert configuration.config.storage_plugin_parameters == {"A": "1", "C": "3"}
    assert configuration.config.archive_plugin_parameters == {"A": "1", "B": "two"}
    assert [(note.what, note.line) for note in reports[1].notes] == [("B", 3)]


# Without a deadline for each: the machine may have other work.
THOUSAND = settings(max_examples=1000, deadline=None)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
PLUGINS = st.sampled_from(["", "csi.so", "sample-app", "a_b"])
RULES = st.builds(
    KeepRules,
    **{period.value: st.integers(0, MOST) for period in Period},
    zone=st.sampled_from(["", "Europe/Berlin"]),
).filter(lambda rules: rules != NO_RULES)
POLICIES = st.lists(
    st.builds(
        FilePolicy,
        st.text(string.ascii_letters, min_size=1, max_size=8).map("1.{}".format),
        st.integers(0, 2**31 - 1),
        st.integers(0, 2**31 - 1),
        st.sampled_from([None, WhenBusy.QUEUE]),
        st.one_of(st.none(), RULES),
        st.one_of(st.none(), RULES),
    ),
    unique_by=lambda policy: policy.name,
    max_size=4,
).map(tuple)
COMMANDS = {
    "".join(f"_{c.lower()}" if c.isupper() else c for c in field.value).lstrip("_"): TEXTS
    for field in CommandField
}
CONFIGS = st.builds(
    Config,
    operator_controlled=st.booleans(),
    container_platform=TEXTS,
    access_within_cluster=TEXTS,
    app_plugin=PLUGINS,
    storage_plugin=PLUGINS,
    archive_plugin=PLUGINS,
    auto_discovery=st.booleans(),
    job_retention=st.integers(0, 2**31 - 1),
    **COMMANDS,
)


@THOUSAND
@given(CONFIGS, POLICIES, st.one_of(st.none(), TEXTS), st.sampled_from([None, False, True]))
def test_a_main_file_is_read_back_equal(config, policies, description, disabled):
    written = Configuration(config, policies, None, description, disabled)
    read = read_main(write_main(written).encode()).configuration
    assert read.config.wire() == config.wire()
    assert read.policies == policies
    assert (read.description, read.disabled) == (description, disabled)


def test_a_description_and_whether_it_is_disabled_stand_in_keys_that_fossul_passes_over():
    text = write_main(Configuration(Config(), (), None, 'the "shop"', True))
    table = tomllib.loads(text)
    assert (table["Description"], table["Disabled"]) == ('the "shop"', True)
    fossuls = {name.casefold() for name in SCALAR_KEYS}
    assert not fossuls & {"description", "disabled"}
    read = read_main(b'dISABLED = false\ndescriptioN = ""').configuration
    assert (read.description, read.disabled) == ("", False)
    assert read_main(EXAMPLE).configuration.description is None
    assert read_main(EXAMPLE).configuration.disabled is None


def test_a_plan_survives_the_file():
    config = Config(app_plugin="p", app_plugin_parameters={"A": "two words"})
    stages = (("quiesce-plugin",), ("look",), ("unquiesce-plugin",))
    layout = PlanLayout(stages=stages, freeze_budget_seconds=60, commands={"look": "ls,-l"})
    written = Configuration(config, (FilePolicy("daily", 3, 0, WhenBusy.QUEUE),), layout)
    files = {name: text.encode() for name, text in write_files("x", written).items()}
    assert tomllib.loads(files["x.conf"].decode())["Plan"]["Commands"] == {"look": "ls,-l"}
    configuration, reports = read_files("x", files)
    assert configuration is not None, reports
    assert (configuration.plan, configuration.policies) == (layout, written.policies)
    assert configuration.config.wire() == config.wire()


KEYS = st.sampled_from(
    [
        "AppPlugin", "appplugin", "JobRetention", "AutoDiscovery", "BackupRetentions", "Backup", "Plan", "X",
        "Description", "disabled",
    ]
)  # fmt: skip
VALUES = st.one_of(
    TEXTS.map(repr),
    st.integers().map(str),
    st.sampled_from(["true", "1.5", "nan", "[]", "{}", "[[1], [2]]", '[{Policy = "a"}]', "1979-05-27", '""']),
)
TABLES = st.sampled_from(["[[BackupRetentions]]", "[Plan]", "[Backup]", "[Plan.Steps.x]", "Policy = 'a'"])
TOML = st.lists(st.one_of(st.tuples(KEYS, VALUES).map(" = ".join), TABLES, TEXTS)).map("\n".join)


@THOUSAND
@given(TOML)
def test_any_text_is_read_and_read_back_equal_or_refused_with_words(text):
    configuration, reports = read_files("x", {"x.conf": text.encode(), "a.conf": b""})
    if configuration is None:
        assert any(report.refused for report in reports)
        return
    files = {name: content.encode() for name, content in write_files("x", configuration).items()}
    again, told = read_files("x", files)
    assert again is not None, told
    assert again.config.wire() == configuration.config.wire()
    assert (again.policies, again.layout) == (configuration.policies, configuration.layout)
    assert (again.description, again.disabled) == (configuration.description, configuration.disabled)
