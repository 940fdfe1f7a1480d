"""The inputs on the board of a plan: each with its default, its help, and what is wrong with it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workflows_app.domain.plans.plan_fields import FLAGS, NO, YES, field_text
from workflows_app.domain.plans.plan_layouts import PLAN_FIELDS, STEP_FIELDS, OptionChanges, PlanLayout
from workflows_app.domain.plans.plans import OnFailure, StepOptions
from workflows_app.web.editors.plan_drafts import NEW_COMMAND, NEW_NAME, Wrong

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9]")
FAILURE_WORDS = {
    OnFailure.FAIL: "end the run",
    OnFailure.CONTINUE: "go on",
    OnFailure.PAUSE: "wait for a person",
}


@dataclass(frozen=True, slots=True)
class PlanInput:
    """One input. ``default`` is what holds while it is empty; ``choices`` are values and their words."""

    id: str
    name: str
    label: str
    value: str
    default: str = ""
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    error: str = ""

    @property
    def is_on(self) -> bool:
        """Whether a checkbox is ticked."""
        return self.value == YES


def plan_inputs(layout: PlanLayout, wrong: Mapping[str, Wrong]) -> tuple[PlanInput, ...]:
    """Answer the inputs of what is said of the whole plan. ``wrong`` are inputs by name, here and below."""
    usual = PlanLayout()
    inputs = []
    for name, (attribute, _) in PLAN_FIELDS.items():
        value, default = getattr(layout, attribute), getattr(usual, attribute)
        shown = "" if value == default and name not in FLAGS else field_text(value)
        placeholder = "" if name in FLAGS else field_text(default)
        inputs.append(_input(f"Plan.{name}", name, shown, wrong, placeholder, _PLAN_WORDS[name]))
    return tuple(inputs)


def command_input(key: str, line: str, wrong: Mapping[str, Wrong]) -> PlanInput:
    """Answer the input of a command of the plan's own."""
    return _input(f"Commands.{key}", "Command", line, wrong)


def new_inputs(typed: tuple[str, str], wrong: Mapping[str, Wrong]) -> tuple[PlanInput, PlanInput]:
    """Answer the inputs of a command that is to be added: its name and its line, as far as they are typed."""
    name_words = "Letters a to z, digits and -, like inventory."
    line_words = "program,argument,argument, run without a shell."
    return (
        _input(NEW_NAME, "Name", typed[0], wrong, words=name_words),
        _input(NEW_COMMAND, "Command", typed[1], wrong, words=line_words),
    )


_PLAN_WORDS = {
    "FreezeBudget": "How long the application may stand still before a watchdog thaws it.",
    "PauseFor": "How long a run waits for a person before it fails.",
    "StaysFrozen": "The application stays frozen while a run waits for a person.",
    "UnfrozenBackup": "A backup may be made while the application runs.",
}
_STEP_WORDS = {
    "Attempts": "How often it is tried; 0 for until it succeeds.",
    "Backoff": "The wait before the second attempt.",
    "Timeout": "How long one attempt may take.",
    "Heartbeat": "How long it may give no sign of life.",
    "OnFailure": "What the run does when it failed for good.",
    "MaySkip": "Whether a person may skip it while the run waits.",
}


def step_inputs(
    key: str, usual: StepOptions, said: OptionChanges, wrong: Mapping[str, Wrong]
) -> Iterator[PlanInput]:
    """Answer the inputs of a step's options; ``usual`` are those of Fossul, ``said`` what differs."""
    effective = said.model_copy(update={"heartbeat_seconds": None}).applied_to(usual)
    for name, (attribute, _) in STEP_FIELDS.items():
        default = getattr(effective if name == "Heartbeat" else usual, attribute)
        choices: tuple[tuple[str, str], ...] = ()
        if name == "OnFailure":
            choices = (
                ("", f"As usual: {FAILURE_WORDS[usual.on_failure]}"),
                *((value.value, words.capitalize()) for value, words in FAILURE_WORDS.items()),
            )
        elif name in FLAGS:
            choices = (("", f"As usual: {field_text(default)}"), (YES, "Yes"), (NO, "No"))
        value = field_text(getattr(said, attribute))
        shown = "" if choices else field_text(default)
        yield _input(f"Steps.{key}.{name}", name, value, wrong, shown, _STEP_WORDS[name], choices)


def _input(
    name: str,
    label: str,
    value: str,
    wrong: Mapping[str, Wrong],
    default: str = "",
    words: str = "",
    choices: tuple[tuple[str, str], ...] = (),
) -> PlanInput:
    typed = wrong.get(name)
    return PlanInput(
        id=f"plan-{id_of(name)}",
        name=name,
        label=label,
        value=typed.typed if typed else value,
        default=default,
        help=words,
        choices=choices,
        error=typed.words if typed else "",
    )


def id_of(name: str) -> str:
    """Answer a name as it may stand in an element's id."""
    return _NOT_IN_AN_ID.sub("-", name)
