"""A plan's own commands where people read them: credentials masked, and put back when the line comes back."""

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.secrets.redaction import MASK, Redactor

_CHANGED = f"a part of it is masked as {MASK!r}: leave the line wholly as it was, or write it anew"


def shown_layout(layout: PlanLayout) -> PlanLayout:
    """Answer a layout with the credentials in its commands masked."""
    redact = Redactor().redact
    return layout.model_copy(
        update={"commands": {key: redact(line) for key, line in layout.commands.items()}}
    )


def meant_layout(typed: PlanLayout, stored: PlanLayout) -> PlanLayout:
    """Answer ``typed``, which began as ``shown_layout(stored)``, with the masked commands of ``stored``.

    Raises ConfigInvalid naming the command whose line was changed around its mask.
    """
    shown, commands = shown_layout(stored).commands, {}
    for key, line in typed.commands.items():
        as_was = line == shown.get(key)
        if MASK in line and not as_was:
            raise ConfigInvalid(f"Plan.Commands.{key}", _CHANGED)
        commands[key] = stored.commands[key] if as_was else line
    return typed.model_copy(update={"commands": commands})
