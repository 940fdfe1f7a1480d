"""The difference between two configurations, as people read one: a unified diff without secrets."""

import difflib
from collections.abc import Mapping
from typing import Any

from workflows_app.domain.config_files.configuration import SETTING_KEYS, Configuration, Family
from workflows_app.domain.config_files.files import Files, write_files
from workflows_app.domain.config_files.secrets import masked
from workflows_app.domain.plan_layouts import layout_text
from workflows_app.domain.redaction import Redactor

_CONTEXT = 2
_ANOTHER = "(another value)"


def difference(name: str, old: Configuration | None, new: Configuration | None) -> tuple[str, ...]:
    """Answer what turns ``old`` into ``new``, file by file, as lines; none where they are equal.

    None stands for a configuration that is not there. ``name`` is that of the configuration, whose main
    file bears it. Of a secret that differs it tells that it does, not how. Raises ConfigInvalid for what
    no file can hold.
    """
    before, after = _shown(name, old, None), _shown(name, new, old)
    lines: list[str] = []
    for file in (*before, *(file for file in after if file not in before)):
        lines += difflib.unified_diff(
            before.get(file, "").splitlines(),
            after.get(file, "").splitlines(),
            fromfile=f"database {file}" if file in before else "not in the database",
            tofile=f"files {file}" if file in after else "not in the files",
            lineterm="",
            n=_CONTEXT,
        )
    return tuple(lines)


def _shown(name: str, configuration: Configuration | None, other: Configuration | None) -> Files:
    """The files of a configuration as they may be shown beside those of ``other``."""
    if configuration is None:
        return {}
    changes: dict[str, Any] = {}
    for key, attribute in SETTING_KEYS.items():
        value = getattr(configuration.config, attribute)
        if isinstance(value, str):
            beside = getattr(other.config, attribute) if other else ""
            changes[attribute] = _masked_beside(key, value, beside)
    for family in Family:
        beside_values: Mapping[str, str] = family.parameters(other.config) if other else {}
        changes[family.parameters_attribute] = {
            key: _masked_beside(key, value, beside_values.get(key, ""))
            for key, value in family.parameters(configuration.config).items()
        }
    plan = layout_text(configuration.layout)
    beside_plan = layout_text(other.layout) if other else ""
    shown = Redactor().redact(plan)
    if shown != plan != beside_plan and shown == Redactor().redact(beside_plan):
        shown += f"# {_ANOTHER}\n"
    return write_files(name, configuration.with_settings(**changes), shown)


def _masked_beside(key: str, value: str, beside: str) -> str:
    shown = masked(key, value)
    if value != beside and shown != value and shown == masked(key, beside):
        return f"{shown} {_ANOTHER}"
    return shown
