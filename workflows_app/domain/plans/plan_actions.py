"""What a person does on the board of a plan: one action, read from its text, and the layout after it."""

from dataclasses import dataclass
from enum import StrEnum

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.plans.plan_layouts import PlanLayout, check_command
from workflows_app.domain.plans.plan_moves import Move, Stages, between, moved, onto, put_back, without

NOTICE = "send-trap-success-command"
"""The step that tells of a success: it ends every plan that has it."""


class Act(StrEnum):
    """What is done beside the moves by one place."""

    ONTO = "onto"
    BETWEEN = "between"
    PUT_BACK = "put-back"
    TAKE_OUT = "take-out"
    REMOVE = "remove"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Action:
    """One action: a move or another act, the step that it is about, and the stage or gap that it goes to.

    ``number`` counts stages and gaps from 0; gap 0 is before the first stage.
    """

    act: Move | Act
    key: str = ""
    number: int = 0


def read_action(text: str) -> Action:
    """Read an action: ``later backup-plugin``, ``onto backup-plugin 3``, ``reset``. Raises ConfigInvalid."""
    verb, _, rest = text.partition(" ")
    key, _, number = rest.partition(" ")
    act = next((act for act in (*Move, *Act) if act == verb), None)
    counted = number.isascii() and number.isdigit() and len(number) < 6
    if act is None or not (counted if act in (Act.ONTO, Act.BETWEEN) else number == ""):
        raise ConfigInvalid("the action", "there is no such one: load the page again")
    return Action(act, key, int(number or 0))


def acted(layout: PlanLayout, usual: Stages, action: Action) -> PlanLayout:
    """Answer the layout after an action, with its stages written out; ``usual`` is Fossul's order.

    Nothing but that is changed: no step is lost or doubled by a move. Raises ConfigInvalid when the layout
    has no such step or stage.
    """
    if action.act is Act.RESET:
        return PlanLayout(stages=usual)
    stages = layout.stages or usual
    try:
        changed = _stages_after(layout, stages, usual, action)
    except (KeyError, IndexError):
        raise ConfigInvalid(
            "the action", "the plan has no such step or stage any more: look at it as it is now"
        ) from None
    changes: dict[str, object] = {"stages": changed}
    if action.act is Act.REMOVE:
        changes |= {
            "commands": {key: line for key, line in layout.commands.items() if key != action.key},
            "options": {key: options for key, options in layout.options.items() if key != action.key},
        }
    return layout.model_copy(update=changes)


def with_command(layout: PlanLayout, usual: Stages, key: str, line: str) -> PlanLayout:
    """Answer the layout with a command of one's own in a stage at its end, before a success notice.

    Raises ConfigInvalid naming ``name`` or ``command`` for one that cannot be, or is taken.
    """
    check_command("name", key, "true")
    if key in layout.commands:
        raise ConfigInvalid("name", f"the plan has a command {key!r} already: choose another name")
    check_command("command", key, line)
    stages = layout.stages or usual
    rest = tuple(stage for stage in stages if key not in stage)
    at = len(rest) - 1 if rest and rest[-1] == (NOTICE,) else len(rest)
    return layout.model_copy(
        update={
            "stages": (*rest[:at], (key,), *rest[at:]),
            "commands": {**layout.commands, key: line},
        }
    )


def _stages_after(layout: PlanLayout, stages: Stages, usual: Stages, action: Action) -> Stages:
    key, order = action.key, [step for stage in usual for step in stage]
    match action.act:
        case Move():
            return moved(stages, key, action.act)
        case Act.ONTO:
            return onto(stages, key, action.number)
        case Act.BETWEEN:
            return between(stages, key, action.number)
        case Act.PUT_BACK:
            if any(key in stage for stage in stages):
                return stages
            if key in layout.commands:
                order = [*(step for step in order if step != NOTICE), key]
            return put_back(stages, key, order)
        case Act.TAKE_OUT:
            # The last mention: where a step is named twice, the card of the first one stays.
            return tuple(reversed(without(tuple(reversed(stages)), key)))
    # Removed: Fossul's own steps cannot be, so that none is left out by mistake.
    if key not in layout.commands:
        raise KeyError(key)
    left = (tuple(step for step in stage if step != key) for stage in stages)
    return tuple(stage for stage in left if stage)
