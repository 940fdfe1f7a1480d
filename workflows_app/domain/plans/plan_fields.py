"""The values of a plan as fields of a form have them: each one text, empty for what is not said."""

from workflows_app.domain.durations import duration_text
from workflows_app.domain.plans.plan_layouts import PLAN_FIELDS, STEP_FIELDS, PlanLayout

YES, NO = "yes", "no"
FLAGS = frozenset({"MaySkip", "StaysFrozen", "UnfrozenBackup"})
"""The fields that are ``yes`` or ``no``."""


def read_step_field(key: str, name: str, text: str) -> object:
    """Answer what a step's field says, as in OptionChanges; None for an empty one.

    Raises ConfigInvalid naming the field as the TOML does, e.g. ``Plan.Steps.backup-plugin.Timeout``.
    """
    if not text.strip():
        return None
    return STEP_FIELDS[name][1](f"Plan.Steps.{key}.{name}", _value(name, text.strip()))


def read_plan_field(name: str, text: str) -> object:
    """Answer what a field of the whole plan says, as in PlanLayout; an empty one is the default.

    Raises ConfigInvalid naming the field as the TOML does.
    """
    attribute, read = PLAN_FIELDS[name]
    if not text.strip():
        return getattr(PlanLayout(), attribute)
    return read(f"Plan.{name}", _value(name, text.strip()))


def field_text(value: object) -> str:
    """Answer a value as its field shows it; ``""`` for None, and a float is a time in seconds."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, float):
        return duration_text(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _value(name: str, text: str) -> object:
    """The text as TOML would have it."""
    if name in FLAGS:
        return {YES: True, NO: False}.get(text, text)
    for number in (int, float):
        try:
            # Not 1_000, which no person types, and nothing that takes long to read.
            return number(text) if len(text) < 40 and "_" not in text else text
        except ValueError:
            continue
    return text
