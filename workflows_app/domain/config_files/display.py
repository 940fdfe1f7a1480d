"""A configuration as people read it: the texts of its files, secrets masked, and how two of them differ."""

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from workflows_app.domain.config_files.configuration import SETTING_KEYS, Configuration, Family
from workflows_app.domain.config_files.main_file import write_main
from workflows_app.domain.config_files.plugin_file import write_plugin
from workflows_app.domain.config_files.secrets import masked
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plan_layouts import layout_text
from workflows_app.domain.plans.plan_masks import shown_layout
from workflows_app.domain.secrets.redaction import Redactor

CONTEXT = 2
"""How many lines that are the same are shown around each difference."""

MAIN = "Main"
"""The part that is the main file; the others are called by their plugin's family."""

NO_PARAMETERS = "# no parameters\n"
"""The text of a plugin without parameters."""

_ANOTHER = "(another value)"


def without_credentials(
    configuration: Configuration, beside: Configuration | None = None, declared: Collection[str] = ()
) -> tuple[Configuration, str]:
    """Answer the configuration with its secrets masked, and its plan as text, masked as well.

    Where a secret differs from the one of ``beside``, that is told, not how. ``declared`` are the names of
    the parameters that plugins declare secret.
    """
    changes: dict[str, Any] = {}
    for key, attribute in SETTING_KEYS.items():
        value = getattr(configuration.config, attribute)
        if isinstance(value, str):
            other = getattr(beside.config, attribute) if beside else ""
            changes[attribute] = _masked_beside(key, value, other)
    for family in Family:
        others: Mapping[str, str] = family.parameters(beside.config) if beside else {}
        changes[family.parameters_attribute] = {
            key: _masked_beside(key, value, others.get(key, ""), declared)
            for key, value in family.parameters(configuration.config).items()
        }
    plan = layout_text(configuration.layout)
    beside_plan = layout_text(beside.layout) if beside else ""
    shown = Redactor().redact(plan)
    if shown != plan != beside_plan and shown == Redactor().redact(beside_plan):
        shown += f"# {_ANOTHER}\n"
    return configuration.with_settings(**changes), shown


def displayed(
    configuration: Configuration, beside: Configuration | None = None, declared: Collection[str] = ()
) -> dict[str, str]:
    """Answer what the files of a configuration hold, by a title for each. Never raises.

    Unlike files it can show two plugins of one name. Arguments as in ``without_credentials``.
    """
    shown, plan = without_credentials(configuration, beside, declared)
    try:
        texts = _texts(shown, plan)
    except ConfigInvalid as error:
        texts = _texts(shown, plan, f"# {error}\n")
    return {title_of(part, shown): text for part, text in texts.items()}


def editable(configuration: Configuration, declared: Collection[str] = ()) -> dict[str, str]:
    """Answer the same texts to be edited: by ``MAIN``, and the family of each plugin that is named.

    ``edited_texts.read_texts`` reads them back. Raises ConfigInvalid where the main file cannot be written.
    """
    shown, _ = without_credentials(configuration, declared=declared)
    return _texts(shown, layout_text(shown_layout(configuration.layout)))


def title_of(part: str, configuration: Configuration) -> str:
    """What people call one of the texts of a configuration."""
    if part == MAIN:
        return "main file"
    return f"{part.lower()} plugin {Family(part).plugin(configuration.config)}"


def changes(
    old: Configuration, new: Configuration, labels: tuple[str, str], declared: Collection[str] = ()
) -> tuple[str, ...]:
    """Answer what turns ``old`` into ``new`` as a unified diff, without secrets; none where they are equal.

    ``labels`` are the words for the two. Never raises.
    """
    before, after = displayed(old, None, declared), displayed(new, old, declared)
    lines: list[str] = []
    for title in (*before, *(title for title in after if title not in before)):
        lines += difflib.unified_diff(
            before.get(title, "").splitlines(),
            after.get(title, "").splitlines(),
            fromfile=f"{labels[0]}: {title if title in before else 'nothing'}",
            tofile=f"{labels[1]}: {title if title in after else 'nothing'}",
            lineterm="",
            n=CONTEXT,
        )
    return tuple(lines)


def _texts(shown: Configuration, plan: str, main: str = "") -> dict[str, str]:
    text = main or write_main(shown)
    texts = {MAIN: f"{text}\n{plan}" if plan else text}
    for family in Family:
        if family.plugin(shown.config):
            texts[family.value] = _plugin_text(family.parameters(shown.config))
    return texts


def _plugin_text(parameters: Mapping[str, str]) -> str:
    lines = []
    for name in sorted(parameters):
        try:
            lines.append(write_plugin({name: parameters[name]}))
        except ConfigInvalid as error:
            lines.append(f"# {error}\n")
    return "".join(lines) or NO_PARAMETERS


def _masked_beside(key: str, value: str, beside: str, declared: Collection[str] = ()) -> str:
    shown = masked(key, value, declared)
    if value != beside and shown != value and shown == masked(key, beside, declared):
        return f"{shown} {_ANOTHER}"
    return shown
