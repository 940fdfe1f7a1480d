"""What of a configuration is secret: masked where people read it, left out of files unless asked for."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from workflows_app.domain.config_files.configuration import SETTING_KEYS, Configuration, Family
from workflows_app.domain.plans.plan_layouts import layout_text
from workflows_app.domain.secrets.redaction import MASK, Redactor
from workflows_app.domain.secrets.references import is_sealed

PLAN = "Plan"
_PROBE = "a value"
# A reference to a secret is none: the worker resolves it.
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:/[^\s]*")


def masked(name: str, value: str, declared: Collection[str] = ()) -> str:
    """``value`` without its credentials; nothing of it where the name says that it is one.

    ``declared`` are the names that plugins declare secret.
    """
    if not value or _REFERENCE.fullmatch(value):
        return value
    if is_sealed(value) or name in declared:
        return MASK
    redactor = Redactor()
    probe = f"{name}=probe"
    return MASK if redactor.redact(probe) != probe else redactor.redact(value)


def is_secret(name: str, value: str, declared: Collection[str] = ()) -> bool:
    """Whether a person may not see ``value`` as it is. ``declared`` as in ``masked``."""
    return masked(name, value, declared) != value


def hides(name: str, value: str, declared: Collection[str] = ()) -> bool:
    """Whether a value of that name is never shown: for what it is, or for what its name says that it is.

    ``declared`` as in ``masked``.
    """
    return is_secret(name, value, declared) or is_secret(name, _PROBE, declared)


def without_secrets(
    configuration: Configuration, declared: Collection[str] = ()
) -> tuple[Configuration, tuple[str, ...]]:
    """Answer the configuration without its secrets, and the names of what was left out.

    ``declared`` as in ``masked``.
    """
    left_out: list[str] = []
    changes: dict[str, Any] = {}
    for key, attribute, value in _texts(configuration):
        if is_secret(key, value):
            changes[attribute] = ""
            left_out.append(key)
    for family in Family:
        values = family.parameters(configuration.config)
        secret = [name for name, value in values.items() if is_secret(name, value, declared)]
        left_out += (f"{family}PluginParameters.{name}" for name in secret)
        changes[family.parameters_attribute] = {n: v for n, v in values.items() if n not in secret}
    shown = configuration.with_settings(**changes)
    if _plan_is_secret(configuration):
        shown = replace(shown, plan=None)
        left_out.append(PLAN)
    return shown, tuple(left_out)


def with_kept_secrets(
    new: Configuration, stored: Configuration, declared: Collection[str] = ()
) -> tuple[Configuration, tuple[str, ...]]:
    """Answer ``new`` with the stored secrets that its files leave out, and the names of those.

    What the files give counts, be it empty. A parameter is kept only for the same plugin.
    ``declared`` as in ``masked``.
    """
    kept: list[str] = []
    changes: dict[str, Any] = {}
    for key, attribute, value in _texts(stored):
        if attribute not in new.config.model_fields_set and is_secret(key, value):
            changes[attribute] = value
            kept.append(key)
    for family in Family:
        plugin = family.plugin(new.config)
        if not plugin or plugin != family.plugin(stored.config):
            continue
        values = family.parameters(new.config)
        added = {
            name: value
            for name, value in family.parameters(stored.config).items()
            if name not in values and is_secret(name, value, declared)
        }
        kept += (f"{family}PluginParameters.{name}" for name in added)
        changes[family.parameters_attribute] = values | added
    merged = new.with_settings(**changes)
    if new.plan is None and _plan_is_secret(stored):
        merged = replace(merged, plan=stored.plan)
        kept.append(PLAN)
    return merged, tuple(kept)


def _texts(configuration: Configuration) -> Iterator[tuple[str, str, str]]:
    """The settings that are text: key, attribute, value."""
    for key, attribute in SETTING_KEYS.items():
        value = getattr(configuration.config, attribute)
        if isinstance(value, str):
            yield key, attribute, value


def _plan_is_secret(configuration: Configuration) -> bool:
    text = layout_text(configuration.layout)
    return Redactor().redact(text) != text
