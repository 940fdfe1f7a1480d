"""A configuration as its files hold it, whichever side it comes from: the folder or the database."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pydantic.alias_generators import to_pascal

from workflows_app.domain.config import Config, WhenBusy
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules


class Family(StrEnum):
    """The plugin families, by the beginning of their keys in the main file (``AppPlugin``)."""

    APP = "App"
    STORAGE = "Storage"
    ARCHIVE = "Archive"

    @property
    def plugin_attribute(self) -> str:
        """The attribute of ``Config`` that names the plugin."""
        return f"{self.lower()}_plugin"

    @property
    def parameters_attribute(self) -> str:
        """The attribute of ``Config`` that holds the plugin's parameters."""
        return f"{self.lower()}_plugin_parameters"

    def plugin(self, config: Config) -> str:
        """The name of the configuration's plugin of this family, ``""`` for none."""
        name: str = getattr(config, self.plugin_attribute)
        return name

    def parameters(self, config: Config) -> dict[str, str]:
        """The parameters of the configuration's plugin of this family."""
        values: dict[str, str] = getattr(config, self.parameters_attribute)
        return values


RUN_ATTRIBUTES = frozenset(
    {
        "profile_name", "config_name", "workflow_id", "workflow_type", "workflow_timestamp", "backup",
        "selected_backup_policy", "selected_backup_retention", "selected_archive_retention",
        "selected_workflow_id",
    }
)  # fmt: skip
"""Fields that belong to a run: Fossul writes them to the main file and ignores them there (§2)."""

TABLE_ATTRIBUTES = frozenset(
    {"backup_retentions", "archive_retentions", *(family.parameters_attribute for family in Family)}
)

SCALAR_KEYS = {
    to_pascal(attribute): attribute for attribute in Config.model_fields if attribute not in TABLE_ATTRIBUTES
}
"""The scalar keys of a main file, in Fossul's order: Fossul's (TOML) name to the attribute of ``Config``."""

SETTING_KEYS = {key: attribute for key, attribute in SCALAR_KEYS.items() if attribute not in RUN_ATTRIBUTES}
"""Those of them that a configuration keeps."""


LONGEST_DESCRIPTION = 200

NO_PLAN = PlanLayout()
"""The plan of a configuration that brings none: Fossul's order."""


@dataclass(frozen=True, slots=True)
class FilePolicy:
    """A policy: how many backups and archives it keeps, and what a start does while another run goes on.

    ``keep_rules`` say what is kept beside the newest backups, ``archive_keep_rules`` the same of archives.
    They and ``when_busy`` are None in a file that says nothing of them: what is stored stays.
    """

    name: str
    keep_backups: int
    keep_archives: int = 0
    when_busy: WhenBusy | None = None
    keep_rules: KeepRules | None = None
    archive_keep_rules: KeepRules | None = None

    def completed(self, stored: "FilePolicy | None" = None) -> "FilePolicy":
        """Answer it with what it says nothing of as ``stored``, or as it is by default."""
        whole = self.with_rules_of(stored) if stored else self
        when_busy = self.when_busy or (stored.when_busy if stored else None)
        return replace(
            whole,
            when_busy=when_busy or WhenBusy.REFUSE,
            keep_rules=whole.keep_rules or NO_RULES,
            archive_keep_rules=whole.archive_keep_rules or NO_RULES,
        )

    def with_rules_of(self, other: "FilePolicy") -> "FilePolicy":
        """Answer it with those keep rules of ``other`` of which it says nothing."""
        rules, archive_rules = self.keep_rules, self.archive_keep_rules
        return replace(
            self,
            keep_rules=other.keep_rules if rules is None else rules,
            archive_keep_rules=other.archive_keep_rules if archive_rules is None else archive_rules,
        )


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that the files of one configuration hold.

    ``config`` has settings and plugin parameters, no policies and nothing of a run. Its
    ``model_fields_set`` tells what a file gives, be it empty. ``plan``, ``description`` and ``disabled`` (no
    backup of it starts) are None where nothing is said of them, as in the files of Fossul.
    """

    config: Config
    policies: tuple[FilePolicy, ...]
    plan: PlanLayout | None = None
    description: str | None = None
    disabled: bool | None = None

    @property
    def layout(self) -> PlanLayout:
        """The plan; Fossul's order where there is none."""
        return self.plan or NO_PLAN

    def with_settings(self, **changes: Any) -> "Configuration":
        """Answer the configuration with some attributes of its ``config`` changed."""
        return replace(self, config=self.config.model_copy(update=changes))

    def settled(self) -> "Configuration":
        """Answer it without what has no effect: the parameters of plugins that are not named."""
        idle: dict[str, Any] = {f.parameters_attribute: {} for f in Family if not f.plugin(self.config)}
        return self.with_settings(**idle)
