"""The main file of a configuration, ``<config>.conf`` (fossul-behaviour.md §2).

TOML with Fossul's names as keys, matched without regard to case. ``Description``, ``Disabled``, the tables
``[Plan]``, ``[KeepRules]`` and ``[ArchiveKeepRules]`` and a policy's ``WhenBusy`` are our additions, which
Fossul passes over.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflows_app.domain.config import Config, WhenBusy, check_policy
from workflows_app.domain.config_files.configuration import (
    LONGEST_DESCRIPTION,
    RUN_ATTRIBUTES,
    SCALAR_KEYS,
    SETTING_KEYS,
    Configuration,
    Family,
    FilePolicy,
)
from workflows_app.domain.config_files.notes import Note, Outcome
from workflows_app.domain.config_files.rule_tables import (
    ARCHIVE_RULES_KEY,
    RULES_KEY,
    read_rules,
    write_rules,
)
from workflows_app.domain.config_files.typed_values import clean, count, known, list_of, of_type
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plan_layouts import layout_from_table
from workflows_app.domain.toml_text import toml_string

PLAN_KEY = "Plan"
DESCRIPTION_KEY = "Description"
DISABLED_KEY = "Disabled"
_RETENTION_KEYS = ("BackupRetentions", "ArchiveRetentions")
_PARAMETER_KEYS = tuple(f"{family}PluginParameters" for family in Family)
_KEYS = (
    DESCRIPTION_KEY,
    DISABLED_KEY,
    *SCALAR_KEYS,
    *_RETENTION_KEYS,
    *_PARAMETER_KEYS,
    RULES_KEY,
    ARCHIVE_RULES_KEY,
    PLAN_KEY,
)
# Written even where they are empty, so that a reader sees that nothing is set.
_ALWAYS_WRITTEN = frozenset({"AppPlugin", "StoragePlugin", "ArchivePlugin", "AutoDiscovery", "JobRetention"})


@dataclass(frozen=True, slots=True)
class MainFile:
    """A main file's configuration, without parameters; how many settings it gives; what is to be said."""

    configuration: Configuration
    taken: int
    notes: tuple[Note, ...]


def read_main(content: bytes) -> MainFile:
    """Read a main file as Fossul does. Raises ConfigInvalid naming the key that Fossul or we refuse.

    What belongs to a run, unknown keys, and parameters (which Fossul reads from the plugins' files alone)
    are dropped; what Fossul would misread to the harm of backups is told. A policy without
    ``RetentionNumber`` is dropped: Fossul would read 0 and delete every backup of it (§7.4).
    """
    notes: list[Note] = []
    table = known(parse(content), _KEYS, "", notes)
    values: dict[str, Any] = {}
    for key, attribute in SCALAR_KEYS.items():
        if key not in table:
            continue
        if attribute == "backup":
            of_type(key, table[key], dict)
        else:
            values[attribute] = _scalar(key, table[key])
    for attribute in RUN_ATTRIBUTES & values.keys():
        if values.pop(attribute):
            key = next(key for key, known in SCALAR_KEYS.items() if known == attribute)
            notes.append(Note(Outcome.DROPPED, key, "it belongs to a run; Fossul ignores it here, too"))
    for key in _PARAMETER_KEYS:
        if of_type(key, table.get(key, {}), dict):
            why = "Fossul reads parameters from the plugin's own file alone"
            notes.append(Note(Outcome.DROPPED, key, why))
    policies = _policies(table, notes)
    names = [policy.name for policy in policies]
    rules, archive_rules = (
        read_rules(key, table.get(key, {}), names, notes) for key in (RULES_KEY, ARCHIVE_RULES_KEY)
    )
    policies = tuple(
        replace(p, keep_rules=rules.get(p.name), archive_keep_rules=archive_rules.get(p.name))
        for p in policies
    )
    plan = layout_from_table(of_type(PLAN_KEY, table[PLAN_KEY], dict)) if PLAN_KEY in table else None
    description, disabled = own_settings(table)
    configuration = Configuration(Config.model_validate(values), policies, plan, description, disabled)
    ours = sum(value is not None for value in (description, disabled))
    return MainFile(configuration, len(values) + ours, tuple(notes))


def write_main(configuration: Configuration) -> str:
    """Write a main file, less its plan, that ``read_main`` and Fossul read back the same.

    Raises ConfigInvalid for text with a NUL.
    """
    lines = own_lines(configuration.description, configuration.disabled)
    for key, attribute in SETTING_KEYS.items():
        value = getattr(configuration.config, attribute)
        if value or key in _ALWAYS_WRITTEN:
            lines.append(f"{key} = {_written(key, value)}")
    for policy in configuration.policies:
        lines += _retention("BackupRetentions", policy.name, policy.keep_backups)
        if policy.when_busy not in (None, WhenBusy.REFUSE):
            lines.append(f"WhenBusy = {toml_string(policy.when_busy)}")
    for policy in configuration.policies:
        if policy.keep_archives:
            lines += _retention("ArchiveRetentions", policy.name, policy.keep_archives)
    lines += write_rules(configuration.policies)
    return "".join(f"{line}\n" for line in lines)


def own_settings(table: Mapping[str, Any]) -> tuple[str | None, bool | None]:
    """A file's description, and whether it disables; None where it says nothing. Raises ConfigInvalid."""
    return (
        _description(table[DESCRIPTION_KEY]) if DESCRIPTION_KEY in table else None,
        of_type(DISABLED_KEY, table[DISABLED_KEY], bool) if DISABLED_KEY in table else None,
    )


def own_lines(description: str | None, disabled: bool | None) -> list[str]:
    """The lines that ``own_settings`` reads back. Raises ConfigInvalid for text with a NUL."""
    lines = []
    if description is not None:
        lines.append(f"{DESCRIPTION_KEY} = {_written(DESCRIPTION_KEY, description)}")
    if disabled is not None:
        lines.append(f"{DISABLED_KEY} = {_written(DISABLED_KEY, disabled)}")
    return lines


def _retention(key: str, policy: str, number: int) -> tuple[str, ...]:
    return ("", f"[[{key}]]", f"Policy = {toml_string(policy)}", f"RetentionNumber = {number}")


def _written(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return toml_string(clean(key, value)) if isinstance(value, str) else str(value)


def parse(content: bytes) -> dict[str, Any]:
    """A file of TOML as a table. Raises ConfigInvalid."""
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigInvalid(f"line {line}", "it is not UTF-8") from None
    except RecursionError:
        raise ConfigInvalid("the file", "its values are nested too deeply") from None
    except ValueError as error:
        # Its text tells place and kind of the mistake, nothing of the values.
        raise ConfigInvalid("the file", f"it is not TOML: {error}") from None


def _scalar(key: str, value: object) -> object:
    """A value of the type that Fossul's field has. Raises ConfigInvalid."""
    kind: object = Config.model_fields[SCALAR_KEYS[key]].annotation
    of_type(key, value, kind)
    if isinstance(value, str):
        return clean(key, value)
    if kind is int and SCALAR_KEYS[key] not in RUN_ATTRIBUTES:
        return count(key, value)
    return value


def _description(value: Any) -> str:
    text = clean(DESCRIPTION_KEY, of_type(DESCRIPTION_KEY, value, str))
    if len(text) > LONGEST_DESCRIPTION:
        raise ConfigInvalid(DESCRIPTION_KEY, f"it is longer than {LONGEST_DESCRIPTION} characters")
    return text


def _policies(table: Mapping[str, Any], notes: list[Note]) -> tuple[FilePolicy, ...]:
    backups, archives = (_retentions(key, table.get(key, []), notes) for key in _RETENTION_KEYS)
    for policy, (number, _) in backups.items():
        if not number:
            why = "it keeps no backup: Fossul would delete every one; no run starts here before it keeps 1"
            notes.append(Note(Outcome.CHANGED, f"policy {policy}", why))
    for policy in archives:
        if policy not in backups:
            why = "it has archives and no backups to keep; no run starts here before it keeps 1 backup"
            notes.append(Note(Outcome.CHANGED, f"policy {policy}", why))
    policies = []
    for name in dict.fromkeys((*backups, *archives)):
        number, when_busy = backups.get(name, (0, None))
        policies.append(FilePolicy(name, number, archives.get(name, (0, None))[0], when_busy))
    return tuple(policies)


def _retentions(key: str, tables: Any, notes: list[Note]) -> dict[str, tuple[int, WhenBusy | None]]:
    """Policies with what they keep. As in Fossul, the first entry of a policy counts."""
    keys = ("Policy", "RetentionNumber", *(("WhenBusy",) if key == _RETENTION_KEYS[0] else ()))
    found: dict[str, tuple[int, WhenBusy | None]] = {}
    for number, written in enumerate(list_of(key, tables), 1):
        within = f"{key}[{number}]."
        extra: list[Note] = []
        entry = known(of_type(within.rstrip("."), written, dict), keys, within, extra)
        policy = of_type(f"{within}Policy", entry.get("Policy", ""), str)
        check_policy(f"{within}Policy", policy)
        if "RetentionNumber" not in entry:
            notes += _without_number(f"{within}{policy}", extra)
            continue
        notes += extra
        keep = count(f"{within}RetentionNumber", entry["RetentionNumber"])
        when_busy = _when_busy(f"{within}WhenBusy", entry["WhenBusy"]) if "WhenBusy" in entry else None
        if policy in found:
            notes.append(Note(Outcome.DROPPED, f"{within}{policy}", "the first entry for the policy counts"))
        else:
            found[policy] = keep, when_busy
    return found


def _without_number(what: str, extra: list[Note]) -> tuple[Note, ...]:
    """What is to be said of a policy without ``RetentionNumber``; ``extra`` are notes of unknown keys."""
    others = [note for note in extra if not note.what.casefold().endswith(".retentiondays")]
    if len(others) < len(extra):
        why = (
            "Fossul does not read RetentionDays: it takes RetentionNumber as 0 and deletes every backup; "
            "the policy is left out until RetentionNumber says how many to keep"
        )
    else:
        why = "without RetentionNumber Fossul takes 0 and deletes every backup; the policy is left out"
    return (*others, Note(Outcome.DROPPED, what, why))


def _when_busy(key: str, value: Any) -> WhenBusy:
    try:
        return WhenBusy(of_type(key, value, str))
    except ValueError:
        raise ConfigInvalid(key, f"it must be one of {', '.join(WhenBusy)}") from None
