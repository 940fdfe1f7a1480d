"""What somebody typed into the editor of a configuration, read as it is: nothing is refused here."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflows_app.domain.config import CommandField, WhenBusy
from workflows_app.domain.config_files.configuration import (
    NO_PLAN,
    SETTING_KEYS,
    Configuration,
    Family,
    FilePolicy,
)
from workflows_app.domain.config_files.secrets import hides
from workflows_app.domain.editing.config_problems import (
    LARGEST,
    parameter_setting,
    plugin_setting,
    policy_setting,
)
from workflows_app.domain.errors import SettingProblem
from workflows_app.services.configurations.plugins import Published

MOST_ROWS = 200
AGREED_POLICY = "Agreed.policy."
"""The beginning of the fields that say which policy a row was when both sides last agreed."""

_ROW = re.compile(r"[0-9]{1,4}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter whose name is typed, too. ``row`` is its place on the page."""

    row: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy as it is typed. ``row`` is its place on the page.

    ``earlier`` are the names that the same row had before, the latest first: when both sides last agreed, and
    when the page was opened.
    """

    row: int
    name: str = ""
    keep_backups: str = ""
    keep_archives: str = ""
    when_busy: WhenBusy = WhenBusy.REFUSE
    earlier: tuple[str, ...] = ()

    @property
    def opened(self) -> str:
        """The name that it had when the page was opened, ``""`` for a new one."""
        return self.earlier[-1] if self.earlier else ""

    @property
    def blank(self) -> bool:
        """Whether nothing was typed."""
        return not (self.name or self.keep_backups or self.keep_archives)


@dataclass(frozen=True, slots=True)
class Draft:
    """An edit on its way. Secrets are in it, kept or typed: what shows a draft must not show them.

    ``opened`` is the version that the edit began with, ``parameters`` all of a family's parameters by name,
    ``rows`` those whose name is typed. ``keeps_plan`` is off to have Fossul's order again. ``mistakes`` are
    what could not even be read, ``decided`` the settings of secrets that were typed, or asked to be removed.
    """

    opened: int
    name: str
    description: str
    plugins: Mapping[Family, str]
    parameters: Mapping[Family, Mapping[str, str]]
    rows: Mapping[Family, tuple[ParameterRow, ...]]
    commands: Mapping[CommandField, str]
    policies: tuple[PolicyRow, ...]
    auto_discovery: bool
    job_retention: str
    keeps_plan: bool
    mistakes: tuple[SettingProblem, ...]
    decided: frozenset[str] = frozenset()

    @property
    def named_policies(self) -> tuple[PolicyRow, ...]:
        """The policies in which something was typed, in order: as problems number them."""
        return tuple(policy for policy in self.policies if not policy.blank)

    def configuration(self, stored: Configuration) -> Configuration:
        """What the draft makes of ``stored``; what cannot be read is left at something harmless."""
        changes: dict[str, Any] = {
            "auto_discovery": self.auto_discovery,
            "job_retention": number_in(self.job_retention, 0),
        }
        for family in Family:
            changes[family.plugin_attribute] = self.plugins[family]
            changes[family.parameters_attribute] = dict(self.parameters[family])
        changes |= {SETTING_KEYS[field]: line for field, line in self.commands.items()}
        policies = tuple(self._policy(row, stored.policies) for row in self.named_policies)
        made = replace(stored.with_settings(**changes), policies=policies)
        return (made if self.keeps_plan else replace(made, plan=NO_PLAN)).settled()

    def _policy(self, row: PolicyRow, stored: Iterable[FilePolicy]) -> FilePolicy:
        """The policy of a row, with the keep rules that it had: the form has no fields for them.

        A policy that was renamed in its row keeps them.
        """
        policy = FilePolicy(
            row.name, number_in(row.keep_backups, 1), number_in(row.keep_archives, 0), row.when_busy
        )
        taken = {other.name for other in self.named_policies}
        names = (row.name, *(name for name in row.earlier if name not in taken))
        before = {policy.name: policy for policy in stored}
        found = next((before[name] for name in names if name in before), policy)
        return policy.with_rules_of(found).completed()

    def with_secrets(self, secrets: Mapping[str, str]) -> "Draft":
        """Answer the draft with secrets from elsewhere, by setting, where the form decided on none."""
        taken = {setting: value for setting, value in secrets.items() if setting not in self.decided}
        commands = {field: taken.get(field, line) for field, line in self.commands.items()}
        parameters: dict[Family, Mapping[str, str]] = {}
        for family in Family:
            prefix = parameter_setting(family, "")
            added = {s.removeprefix(prefix): v for s, v in taken.items() if s.startswith(prefix)}
            parameters[family] = {**self.parameters[family], **added}
        return replace(self, commands=commands, parameters=parameters)


def number_in(text: str, otherwise: int) -> int:
    """The number that was typed; ``otherwise`` where there is none, or none that can be stored."""
    return int(text) if _NUMBER.fullmatch(text) and int(text) <= LARGEST else otherwise


def draft_of(
    opened: int,
    name: str,
    description: str,
    configuration: Configuration,
    rows: Mapping[Family, tuple[ParameterRow, ...]] | None = None,
) -> Draft:
    """Answer the draft that says what ``configuration`` does; ``rows`` are the places of typed names."""
    config = configuration.config
    return Draft(
        opened=opened,
        name=name,
        description=description,
        plugins={family: family.plugin(config) for family in Family},
        parameters={family: family.parameters(config) for family in Family},
        rows={family: _still(family, configuration, (rows or {}).get(family, ())) for family in Family},
        commands={field: config.command(field) for field in CommandField},
        policies=tuple(
            PolicyRow(
                row,
                p.name,
                str(p.keep_backups),
                str(p.keep_archives or ""),
                p.when_busy or WhenBusy.REFUSE,
                (p.name,),
            )
            for row, p in enumerate(configuration.policies)
        ),
        auto_discovery=config.auto_discovery,
        job_retention=str(config.job_retention),
        keeps_plan=True,
        mistakes=(),
    )


def read_draft(post: Mapping[str, str], stored: Configuration, known: Published) -> Draft:
    """Read what was typed. A secret that is left empty stays as in ``stored``, unless its removal is asked.

    Parameters stay for the same plugin only: where another one was chosen, those that only the former one
    declares are dropped.
    """
    return _Reader({name: _text(value) for name, value in post.items()}, stored, known).draft()


class _Reader:
    """Reads one form."""

    def __init__(self, post: Mapping[str, str], stored: Configuration, known: Published) -> None:
        self._post = post
        self._stored = stored
        self._known = known
        self._declared = known.declared_secrets
        self._mistakes: list[SettingProblem] = []

    def draft(self) -> Draft:
        """Answer what was typed."""
        plugins = {family: self._of(plugin_setting(family)).strip() for family in Family}
        rows = {family: self._parameter_rows(family) for family in Family}
        policies = self._policies()
        self._check_number("JobRetention", self._of("JobRetention"))
        return Draft(
            opened=number_in(self._of("opened"), 0),
            name=self._of("name").strip(),
            description=self._of("description").strip(),
            plugins=plugins,
            parameters={family: self._parameters(family, plugins[family], rows[family]) for family in Family},
            rows=rows,
            commands={field: self._command(field) for field in CommandField},
            policies=policies,
            auto_discovery="AutoDiscovery" in self._post,
            job_retention=self._of("JobRetention"),
            keeps_plan="Plan.Reset" not in self._post,
            mistakes=tuple(self._mistakes),
            decided=self._decided(rows),
        )

    def _of(self, name: str) -> str:
        return self._post.get(name, "")

    def _decided(self, rows: Mapping[Family, tuple[ParameterRow, ...]]) -> frozenset[str]:
        """The settings of secrets that were typed, or asked to be removed."""
        found = {
            setting
            for setting, value in self._post.items()
            if value and hides(setting.rpartition(".")[2], value, self._declared)
        }
        found |= {name.removeprefix("Remove.") for name in self._post if name.startswith("Remove.")}
        for family, typed in rows.items():
            found |= {parameter_setting(family, row.name) for row in typed if row.value}
        return frozenset(found)

    def _command(self, field: CommandField) -> str:
        line, stored = self._of(field), self._stored.config.command(field)
        return stored if not line and self._stays(field, field, stored) else line

    def _stays(self, setting: str, name: str, stored: str) -> bool:
        """Whether a stored value that nobody is shown stays when nothing is typed."""
        return bool(stored) and hides(name, stored, self._declared) and f"Remove.{setting}" not in self._post

    def _parameters(self, family: Family, plugin: str, rows: tuple[ParameterRow, ...]) -> dict[str, str]:
        prefix = parameter_setting(family, "")
        values = {
            key.removeprefix(prefix): value for key, value in self._post.items() if key.startswith(prefix)
        }
        values |= {row.name: row.value for row in rows if row.name}
        values = {name: value for name, value in values.items() if value}
        if plugin == family.plugin(self._stored.config):
            for name, value in family.parameters(self._stored.config).items():
                if name not in values and self._stays(parameter_setting(family, name), name, value):
                    values[name] = value
        before, now = (
            self._known.find(family, name) for name in (self._of(f"{plugin_setting(family)}.Before"), plugin)
        )
        if before and now and before != now:
            dropped = {spec.name for spec in before.info.parameters} - {s.name for s in now.info.parameters}
            values = {name: value for name, value in values.items() if name not in dropped}
        return values

    def _parameter_rows(self, family: Family) -> tuple[ParameterRow, ...]:
        rows: list[ParameterRow] = []
        for row in self._row_numbers(f"{family}Row."):
            name = self._of(f"{family}Row.{row}.Name").strip()
            value = self._of(f"{family}Row.{row}.Value")
            if value and not name:
                self._mistakes.append(SettingProblem(f"{family}Row.{row}", "name the parameter"))
            if name and any(name == other.name for other in rows):
                self._mistakes.append(SettingProblem(f"{family}Row.{row}", f"{name} is there twice"))
            rows.append(ParameterRow(row, name, value))
        return tuple(rows)

    def _policies(self) -> tuple[PolicyRow, ...]:
        policies = []
        position = 0
        for row in self._row_numbers("Policies."):
            busy = self._of(f"Policies.{row}.WhenBusy")
            policy = PolicyRow(
                row,
                self._of(f"Policies.{row}.Policy").strip(),
                self._of(f"Policies.{row}.BackupRetention").strip(),
                self._of(f"Policies.{row}.ArchiveRetention").strip(),
                WhenBusy(busy) if busy in list(WhenBusy) else WhenBusy.REFUSE,
                self._earlier(row),
            )
            policies.append(policy)
            if policy.blank:
                continue
            if not policy.keep_backups:
                words = "say how many backups to keep"
                self._mistakes.append(SettingProblem(policy_setting(position, "BackupRetention"), words))
            self._check_number(policy_setting(position, "BackupRetention"), policy.keep_backups)
            self._check_number(policy_setting(position, "ArchiveRetention"), policy.keep_archives)
            position += 1
        return tuple(policies)

    def _earlier(self, row: int) -> tuple[str, ...]:
        names = (self._of(f"{AGREED_POLICY}{row}"), self._of(f"Policies.{row}.Opened"))
        return tuple(name for name in names if name)

    def _row_numbers(self, prefix: str) -> list[int]:
        found = {key.removeprefix(prefix).partition(".")[0] for key in self._post if key.startswith(prefix)}
        return sorted(int(number) for number in found if _ROW.fullmatch(number))[:MOST_ROWS]

    def _check_number(self, setting: str, text: str) -> None:
        if text and not (_NUMBER.fullmatch(text) and int(text) <= LARGEST):
            self._mistakes.append(SettingProblem(setting, "it must be a whole number, such as 7"))


def _still(
    family: Family, configuration: Configuration, rows: Iterable[ParameterRow]
) -> tuple[ParameterRow, ...]:
    """The rows whose parameter the configuration has, with its values."""
    values = family.parameters(configuration.config)
    return tuple(replace(row, value=values[row.name]) for row in rows if row.name in values)


def _text(value: str) -> str:
    """What was typed: browsers send line breaks as CR LF."""
    return value.replace("\r\n", "\n")
