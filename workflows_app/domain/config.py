"""A configuration as Fossul reads and sends it (fossul-behaviour.md §1, §2)."""

import re
from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Backup, Discover
from workflows_app.domain.retention.archive_retention import newest_archives_kept
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules
from workflows_app.domain.wire import WireModel

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_POLICY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?", re.ASCII)


SAFETY_POLICY = "safety"
"""The policy of the backups that restores make of what they are about to overwrite: no retention has it."""


class Retention(WireModel):
    """How many backups (or archives) of one policy are kept; ``keep_rules`` is our addition."""

    omit_empty = frozenset({"keepRules"})

    policy: str
    retention_number: int = 0
    keep_rules: KeepRules = NO_RULES


class WhenBusy(StrEnum):
    """What a start does while another run holds the configuration's lock: refuse, or wait for it."""

    REFUSE = "refuse"
    QUEUE = "queue"


class CommandField(StrEnum):
    """The configuration's command fields, by Fossul's (TOML) name (§6)."""

    PRE_QUIESCE = "PreAppQuiesceCmd"
    QUIESCE = "AppQuiesceCmd"
    POST_QUIESCE = "PostAppQuiesceCmd"
    BACKUP_CREATE = "BackupCreateCmd"
    BACKUP_DELETE = "BackupDeleteCmd"
    ARCHIVE_CREATE = "ArchiveCreateCmd"
    ARCHIVE_DELETE = "ArchiveDeleteCmd"
    PRE_UNQUIESCE = "PreAppUnquiesceCmd"
    UNQUIESCE = "AppUnquiesceCmd"
    POST_UNQUIESCE = "PostAppUnquiesceCmd"
    PRE_RESTORE = "PreAppRestoreCmd"
    RESTORE = "RestoreCmd"
    POST_RESTORE = "PostAppRestoreCmd"
    SUCCESS_NOTICE = "SendTrapSuccessCmd"
    ERROR_NOTICE = "SendTrapErrorCmd"

    @property
    def words(self) -> str:
        """Fossul's words for this command in its first message, e.g. ``pre quiesce``."""
        return _COMMAND_WORDS[self]


_COMMAND_WORDS = {
    CommandField.PRE_QUIESCE: "pre quiesce",
    CommandField.QUIESCE: "quiesce",
    CommandField.POST_QUIESCE: "post quiesce",
    CommandField.BACKUP_CREATE: "backup create",
    CommandField.BACKUP_DELETE: "backup delete",
    CommandField.ARCHIVE_CREATE: "archive create",
    CommandField.ARCHIVE_DELETE: "archive delete",
    CommandField.PRE_UNQUIESCE: "pre unquiesce",
    CommandField.UNQUIESCE: "unquiesce",
    CommandField.POST_UNQUIESCE: "post unquiesce",
    CommandField.PRE_RESTORE: "pre restore app",
    CommandField.RESTORE: "restore",
    CommandField.POST_RESTORE: "post restore app",
    CommandField.SUCCESS_NOTICE: "send trap success",
    CommandField.ERROR_NOTICE: "send trap error",
}


class Config(WireModel):
    """One application's backup set-up, consolidated for one run.

    Field names are Fossul's; ``policy`` fields named *selected* belong to the run, not to the file.
    ``selected_backup_retention`` is -1 when the policy is unknown. Parameter maps hold text only.
    """

    omit_empty = frozenset(
        {
            "profileName", "configName", "workflowId", "workflowType", "workflowTimestamp",
            "containerPlatform", "accessWithinCluster",
            "preAppQuiesceCmd", "appQuiesceCmd", "postAppQuiesceCmd",
            "backupCreateCmd", "backupDeleteCmd", "archiveCreateCmd", "archiveDeleteCmd",
            "preAppUnquiesceCmd", "appUnquiesceCmd", "postAppUnquiesceCmd",
            "preAppRestoreCmd", "restoreCmd", "postAppRestoreCmd",
            "sendTrapErrorCmd", "sendTrapSuccessCmd",
            "appPluginParameters", "storagePluginParameters", "archivePluginParameters",
        }
    )  # fmt: skip

    profile_name: str = ""
    config_name: str = ""
    workflow_id: str = ""
    workflow_type: str = ""
    workflow_timestamp: int = 0
    backup: Backup = Backup()
    operator_controlled: bool = False
    container_platform: str = ""
    access_within_cluster: str = ""
    app_plugin: str = ""
    storage_plugin: str = ""
    archive_plugin: str = ""
    auto_discovery: bool = False
    job_retention: int = 0
    backup_retentions: tuple[Retention, ...] = ()
    archive_retentions: tuple[Retention, ...] = ()
    selected_backup_policy: str = Field("", alias="backupPolicy")
    selected_backup_retention: int = Field(0, alias="backupRetention")
    selected_archive_retention: int = Field(0, alias="archiveRetention")
    selected_workflow_id: int = 0
    pre_app_quiesce_cmd: str = ""
    app_quiesce_cmd: str = ""
    post_app_quiesce_cmd: str = ""
    backup_create_cmd: str = ""
    backup_delete_cmd: str = ""
    archive_create_cmd: str = ""
    archive_delete_cmd: str = ""
    pre_app_unquiesce_cmd: str = ""
    app_unquiesce_cmd: str = ""
    post_app_unquiesce_cmd: str = ""
    pre_app_restore_cmd: str = ""
    restore_cmd: str = ""
    post_app_restore_cmd: str = ""
    send_trap_error_cmd: str = ""
    send_trap_success_cmd: str = ""
    app_plugin_parameters: dict[str, str] = {}
    storage_plugin_parameters: dict[str, str] = {}
    archive_plugin_parameters: dict[str, str] = {}

    def command(self, field: CommandField) -> str:
        """Answer the raw value of a command field, ``""`` when it is not configured."""
        value: str = getattr(self, _COMMAND_ATTRIBUTES[field])
        return value

    def retention_of(self, policy: str) -> int:
        """How many backups of ``policy`` are kept: by the first entry for it, -1 when there is none (§2)."""
        return next((r.retention_number for r in self.backup_retentions if r.policy == policy), -1)

    def keep_rules_of(self, policy: str) -> KeepRules:
        """What else of ``policy`` is kept: by the same entry as ``retention_of``'s."""
        return next((r.keep_rules for r in self.backup_retentions if r.policy == policy), NO_RULES)

    def archive_retention_of(self, policy: str) -> int:
        """How many archives of ``policy`` are kept, as ``retention_of``; 1 for rules without a number."""
        found = next((r for r in self.archive_retentions if r.policy == policy), None)
        return -1 if found is None else newest_archives_kept(found.retention_number, found.keep_rules)

    def archive_keep_rules_of(self, policy: str) -> KeepRules:
        """Which other archives of ``policy`` are kept: by the same entry as ``archive_retention_of``'s."""
        return next((r.keep_rules for r in self.archive_retentions if r.policy == policy), NO_RULES)

    def discovered(self, found: Sequence[Discover]) -> "Config":
        """Answer the configuration with the paths that a discovery found, for the storage plugin.

        All data paths of all instances, in order, joined by commas, become its parameter
        ``DataFilePaths``, the log paths ``LogFilePaths``; each only if there are any (§3, "What carries
        over").
        """
        paths = {
            "DataFilePaths": ",".join(path for instance in found for path in instance.data),
            "LogFilePaths": ",".join(path for instance in found for path in instance.logs),
        }
        parameters = self.storage_plugin_parameters | {name: value for name, value in paths.items() if value}
        return self.model_copy(update={"storage_plugin_parameters": parameters})

    def for_run(self, number: int, policy: str, timestamp: int, kind: str = "backup") -> "Config":
        """Answer the consolidated configuration of one run (§2 "Consolidation for a run").

        ``number`` is the run's number, ``timestamp`` unix seconds at its start.
        """
        return self.model_copy(
            update={
                "workflow_id": str(number),
                "workflow_type": kind,
                "workflow_timestamp": timestamp,
                "selected_backup_policy": policy,
                "selected_backup_retention": self.retention_of(policy),
                "selected_archive_retention": self.archive_retention_of(policy),
            }
        )

    def under(self, policy: str) -> "Config":
        """Answer the configuration of a run's step that works under ``policy``; the run's own when empty."""
        if not policy:
            return self
        return self.model_copy(
            update={
                "selected_backup_policy": policy,
                "selected_backup_retention": self.retention_of(policy),
            }
        )

    def for_restore(self, number: int, backup: Backup, timestamp: int, kind: str = "restore") -> "Config":
        """Answer the configuration of a restore or fetch of ``backup`` (§4). Arguments as in ``for_run``."""
        selected = int(backup.workflow_id) if backup.workflow_id.isdecimal() else 0
        return self.for_run(number, backup.policy, timestamp, kind).model_copy(
            update={"backup": backup, "selected_workflow_id": selected}
        )


_COMMAND_ATTRIBUTES = {
    CommandField.PRE_QUIESCE: "pre_app_quiesce_cmd",
    CommandField.QUIESCE: "app_quiesce_cmd",
    CommandField.POST_QUIESCE: "post_app_quiesce_cmd",
    CommandField.BACKUP_CREATE: "backup_create_cmd",
    CommandField.BACKUP_DELETE: "backup_delete_cmd",
    CommandField.ARCHIVE_CREATE: "archive_create_cmd",
    CommandField.ARCHIVE_DELETE: "archive_delete_cmd",
    CommandField.PRE_UNQUIESCE: "pre_app_unquiesce_cmd",
    CommandField.UNQUIESCE: "app_unquiesce_cmd",
    CommandField.POST_UNQUIESCE: "post_app_unquiesce_cmd",
    CommandField.PRE_RESTORE: "pre_app_restore_cmd",
    CommandField.RESTORE: "restore_cmd",
    CommandField.POST_RESTORE: "post_app_restore_cmd",
    CommandField.SUCCESS_NOTICE: "send_trap_success_cmd",
    CommandField.ERROR_NOTICE: "send_trap_error_cmd",
}


def check_name(field: str, value: str) -> None:
    """Refuse a profile or configuration name that could leave its folder or its URL.

    Raises ConfigInvalid naming ``field``: letters, digits, ``.``, ``_`` and ``-``, starting and ending
    with a letter or digit, at most 63 characters.
    """
    if len(value) > 63 or not _NAME.fullmatch(value):
        raise ConfigInvalid(
            field,
            f"{value!r} is not a name: use up to 63 letters, digits, '.', '_' or '-', "
            "starting and ending with a letter or digit",
        )


def check_policy(field: str, value: str) -> None:
    """Refuse a policy name that Fossul's list parsers could not read back (§7.3: no ``-``), or that is kept.

    Raises ConfigInvalid naming ``field``.
    """
    if len(value) > 63 or not _POLICY.fullmatch(value):
        raise ConfigInvalid(
            field,
            f"{value!r} is not a policy name: use up to 63 letters, digits, '.' or '_' (no '-', "
            "which separates the parts of a backup's name)",
        )
    if value == SAFETY_POLICY:
        raise ConfigInvalid(field, f"{value!r} is kept for the backups that restores make: use another name")
