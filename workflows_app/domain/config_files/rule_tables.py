"""What policies keep beside their newest backups and archives, in a main file.

``[KeepRules.<policy>]`` is of backups, ``[ArchiveKeepRules.<policy>]`` of archives: tables of our own, which
Fossul passes over as it does every key that it does not know (fossul-behaviour.md §2). To Fossul such a
policy keeps its newest backups or archives and no others.
"""

from collections.abc import Iterable
from typing import Any

from workflows_app.domain.config_files.configuration import FilePolicy
from workflows_app.domain.config_files.notes import Note, Outcome
from workflows_app.domain.config_files.typed_values import known, of_type, printable
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules, Period, parse_rules
from workflows_app.domain.toml_text import toml_key, toml_string

RULES_KEY = "KeepRules"
ARCHIVE_RULES_KEY = "ArchiveKeepRules"

_ZONE = "Zone"
_KEYS = {period.capitalize(): period.value for period in Period} | {_ZONE: "zone"}


def read_rules(key: str, value: Any, policies: Iterable[str], notes: list[Note]) -> dict[str, KeepRules]:
    """Answer the rules at one of the keys of a file by policy; a table that is there and empty is no rules.

    Rules of a policy that is not among ``policies`` are dropped, with a note. Raises ConfigInvalid naming
    the key (``KeepRules.daily.Weekly``).
    """
    found: dict[str, KeepRules] = {}
    names = frozenset(policies)
    for policy, table in of_type(key, value, dict).items():
        within = f"{key}.{printable(policy)}"
        rules = _rules(within, of_type(within, table, dict), notes)
        if policy in names:
            found[policy] = rules
        else:
            notes.append(Note(Outcome.DROPPED, within, "there is no retention of this policy"))
    return found


def write_rules(policies: Iterable[FilePolicy]) -> list[str]:
    """Answer the lines that ``read_rules`` reads back the same; none for a policy without rules."""
    policies = tuple(policies)
    return [
        *(line for policy in policies for line in _table(RULES_KEY, policy.name, policy.keep_rules)),
        *(
            line
            for policy in policies
            for line in _table(ARCHIVE_RULES_KEY, policy.name, policy.archive_keep_rules)
        ),
    ]


def _table(key: str, policy: str, rules: KeepRules | None) -> list[str]:
    if rules in (None, NO_RULES):
        return []
    values = {name: getattr(rules, attribute) for name, attribute in _KEYS.items()}
    written = [f"{name} = {_written(value)}" for name, value in values.items() if value]
    return ["", f"[{key}.{toml_key(policy)}]", *written]


def _rules(within: str, table: dict[str, Any], notes: list[Note]) -> KeepRules:
    given = known(table, tuple(_KEYS), f"{within}.", notes)
    texts = {
        _KEYS[key]: str(of_type(f"{within}.{key}", value, str if key == _ZONE else int))
        for key, value in given.items()
    }
    try:
        return parse_rules(texts)
    except ConfigInvalid as error:
        raise ConfigInvalid(f"{within}.{error.field.capitalize()}", error.reason) from None


def _written(value: object) -> str:
    return toml_string(value) if isinstance(value, str) else str(value)
