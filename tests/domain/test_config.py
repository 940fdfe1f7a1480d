"""Configurations: Fossul's JSON in and out, names, retentions."""

import json

import pytest

from workflows_app.domain import naming
from workflows_app.domain.config import CommandField, Config, check_name, check_policy
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Discover


def test_an_empty_configuration_has_the_keys_that_fossul_always_sends():
    assert list(Config().wire()) == [
        "backup", "operatorControlled", "appPlugin", "storagePlugin", "archivePlugin", "autoDiscovery",
        "jobRetention", "backupRetentions", "archiveRetentions", "backupPolicy", "backupRetention",
        "archiveRetention", "selectedWorkflowId",
    ]  # fmt: skip


def test_what_fossul_sends_is_read_with_its_nulls_and_unknown_keys():
    config = Config.model_validate_json(
        '{"backup":{},"backupRetentions":null,"archiveRetentions":null,"backupPolicy":"daily",'
        '"selectedWorkflowId":12,"workflowId":"34","accessWithinCluster":"true","somethingNew":1}'
    )
    assert config.backup_retentions == ()
    assert config.selected_backup_policy == "daily"
    assert config.workflow_id == "34"


def test_a_configuration_survives_the_wire():
    config = Config.model_validate(
        {
            "profileName": "p",
            "configName": "c",
            "appPlugin": "sample-app",
            "preAppQuiesceCmd": "echo,a",
            "backupRetentions": [{"policy": "daily", "retentionNumber": 5}],
            "storagePluginParameters": {"BackupName": "x"},
        }
    ).for_run(3, "daily", 1_700_000_000)
    assert Config.model_validate(json.loads(json.dumps(config.wire()))) == config


def test_a_run_gets_its_number_policy_and_retentions():
    config = Config.model_validate(
        {
            "backupRetentions": [
                {"policy": "daily", "retentionNumber": 5},
                {"policy": "daily", "retentionNumber": 9},
            ],
            "archiveRetentions": [{"policy": "daily", "retentionNumber": 7}],
        }
    ).for_run(12, "daily", 1_700_000_000)
    assert (config.workflow_id, config.workflow_type, config.workflow_timestamp) == (
        "12",
        "backup",
        1_700_000_000,
    )
    assert config.selected_backup_retention == 5
    assert config.selected_archive_retention == 7


def test_archive_rules_without_a_number_keep_the_newest_and_never_none():
    ruled = {"policy": "daily", "retentionNumber": 0, "keepRules": {"weekly": 4}}
    config = Config.model_validate({"archiveRetentions": [ruled]})
    assert config.for_run(1, "daily", 1).selected_archive_retention == 1
    assert config.archive_keep_rules_of("daily").weekly == 4
    assert not config.archive_keep_rules_of("weekly")
    assert config.archive_retention_of("weekly") == -1


def test_an_unknown_policy_has_retention_minus_one():
    assert Config().for_run(1, "nope", 1).selected_backup_retention == -1


def test_a_backup_is_named_after_name_policy_number_and_time():
    config = Config(config_name="files").for_run(12, "daily", 1_700_000_000)
    assert naming.backup_name(config) == "files-daily-12-1700000000"
    named = config.model_copy(update={"storage_plugin_parameters": {"BackupName": "my-db"}})
    assert naming.backup_name(named) == "my-db-daily-12-1700000000"


def test_what_was_discovered_is_for_the_storage_plugin():
    config = Config.model_validate({"storagePluginParameters": {"BackupName": "x", "LogFilePaths": "/old"}})
    found = [Discover(instance="a", data=("/d/1", "/d/2")), Discover(instance="b", data=("/d/1",))]
    assert config.discovered(found).storage_plugin_parameters == {
        "BackupName": "x",
        "LogFilePaths": "/old",
        "DataFilePaths": "/d/1,/d/2,/d/1",
    }
    assert config.discovered(()) == config


def test_every_command_field_reads_its_own_value():
    values = {field.value[0].lower() + field.value[1:]: f"echo,{field.value}" for field in CommandField}
    config = Config.model_validate(values)
    assert {field: config.command(field) for field in CommandField} == {
        field: f"echo,{field.value}" for field in CommandField
    }


@pytest.mark.parametrize("name", ["a", "demo", "my-app", "app.v2", "A_b-c.9", "x" * 63])
def test_good_names_are_taken(name):
    check_name("profile", name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../x", "-a", "a-", "a b", "ä", "a\n", "x" * 64, ".git"]
)
def test_names_that_could_escape_a_folder_or_a_url_are_refused_by_field(name):
    with pytest.raises(ConfigInvalid) as caught:
        check_name("profile", name)
    assert caught.value.field == "profile"


def test_a_policy_may_not_contain_the_separator_of_backup_names():
    check_policy("policy", "every_hour")
    with pytest.raises(ConfigInvalid, match="no '-'"):
        check_policy("policy", "every-hour")
