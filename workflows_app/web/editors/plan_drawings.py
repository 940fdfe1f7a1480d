"""The order that comes of a plan, as it is drawn: stages one below the other, steps at once side by side."""

from dataclasses import dataclass

from workflows_app.domain.plans.plan_rules import frozen_window
from workflows_app.domain.plans.plans import Plan


@dataclass(frozen=True, slots=True)
class DrawnStage:
    """A stage: its number from 1, the names of its steps, and whether the application stands still in it.

    ``begins`` and ``ends`` say that it is the first or the last such stage.
    """

    number: int
    names: tuple[str, ...]
    frozen: bool
    begins: bool
    ends: bool


def drawn_stages(plan: Plan) -> tuple[DrawnStage, ...]:
    """Answer the stages of a plan as they are drawn."""
    window = frozen_window(plan)
    return tuple(
        DrawnStage(
            number=index + 1,
            names=tuple(step.name for step in stage.steps),
            frozen=index in window,
            begins=bool(window) and index == window[0],
            ends=bool(window) and index == window[-1],
        )
        for index, stage in enumerate(plan.stages)
    )
