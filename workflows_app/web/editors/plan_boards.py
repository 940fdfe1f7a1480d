"""The board of a plan as its page shows it: stages of cards, with what is wrong at each."""

from collections.abc import Iterator
from dataclasses import dataclass

from workflows_app.domain.config import CommandField, Config
from workflows_app.domain.config_files.secrets import masked
from workflows_app.domain.durations import in_words
from workflows_app.domain.errors import PlanProblem
from workflows_app.domain.plans.plan_layouts import BACKUP_STEPS, OptionChanges
from workflows_app.domain.plans.plan_moves import Move
from workflows_app.domain.plans.plan_rules import frozen_window
from workflows_app.domain.plans.planned_backups import custom_step
from workflows_app.domain.plans.plans import StepOptions, StepSpec, backup_plan
from workflows_app.services.editing.plans import PlanPreview
from workflows_app.web.editors.plan_drafts import PlanDraft
from workflows_app.web.editors.plan_inputs import (
    FAILURE_WORDS,
    PlanInput,
    command_input,
    id_of,
    new_inputs,
    plan_inputs,
    step_inputs,
)


@dataclass(frozen=True, slots=True)
class Way:
    """A button that moves a card: what it sends, its words, and its icon."""

    value: str
    words: str
    icon: str


WAYS = (
    Way(Move.EARLIER, "Move earlier", "arrow-up"),
    Way(Move.LATER, "Move later", "arrow-down"),
    Way(Move.WITH_ABOVE, "Run with the stage above", "corner-left-up"),
    Way(Move.WITH_BELOW, "Run with the stage below", "corner-left-down"),
    Way(Move.ALONE, "In a stage of its own", "split"),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A step on the board.

    ``runs`` is the command that it runs, masked; ``command`` the field of a command of the plan's own.
    ``marks`` say how its options differ; ``problems`` which rules it breaks. ``again`` when the plan names it
    earlier, too, ``idle`` when the configuration does not have it. ``edges`` are the moves that lead nowhere.
    """

    id: str
    key: str
    name: str
    phase: str
    runs: str
    freezes: bool
    command: PlanInput | None
    fields: tuple[PlanInput, ...]
    marks: tuple[str, ...]
    problems: tuple[PlanProblem, ...]
    again: bool
    idle: bool
    edges: frozenset[str]

    @property
    def asked(self) -> str:
        """What asks for the focus on the card itself."""
        return f"card {self.key}"

    @property
    def open(self) -> bool:
        """Whether its options are to be seen at once."""
        return any(field.error for field in self.fields)


@dataclass(frozen=True, slots=True)
class BoardStage:
    """A stage: its number from 1, its cards, and whether the application stands still in it."""

    number: int
    cards: tuple[Card, ...]
    frozen: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A step that is configured, or a command of the plan's own, that no stage names."""

    key: str
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Board:
    """The whole board. ``fields`` are those of the whole plan, ``new`` those of a command to be added."""

    stages: tuple[BoardStage, ...]
    left_out: tuple[LeftOut, ...]
    fields: tuple[PlanInput, ...]
    new: tuple[PlanInput, PlanInput]

    @property
    def inputs(self) -> Iterator[PlanInput]:
        """All inputs, in order."""
        yield from self.fields
        for card in self.cards:
            yield from (*((card.command,) if card.command else ()), *card.fields)
        yield from self.new

    @property
    def cards(self) -> Iterator[Card]:
        """All cards, in order."""
        return (card for stage in self.stages for card in stage.cards)

    def where(self, key: str) -> str:
        """Say where a step is now, for who cannot see it; ``""`` for one that is nowhere."""
        for stage in self.stages:
            here = next((card for card in stage.cards if card.key == key), None)
            if here:
                others = [card.name for card in stage.cards if card is not here]
                beside = f", at the same time as {' and '.join(others)}" if others else ""
                return f"{here.name}: stage {stage.number} of {len(self.stages)}{beside}."
        return ""


def board_of(draft: PlanDraft, config: Config, preview: PlanPreview | None) -> Board:
    """Answer the board of a draft; without a ``preview`` it is not known what is wrong with it."""
    return _Making(draft, config, preview).board()


class _Making:
    """Makes the board of one draft."""

    def __init__(self, draft: PlanDraft, config: Config, preview: PlanPreview | None) -> None:
        self._layout, self._wrong, self._config = draft.layout, draft.wrong, config
        self._new_command = draft.new
        self._problems = preview.problems if preview else ()
        self._steps = {step.key: step for step in backup_plan(config).steps}
        self._frozen: set[str] = set()
        if preview:
            window = frozen_window(preview.plan)
            stages = preview.plan.stages
            self._frozen = {step.key for index in window for step in stages[index].steps}

    def board(self) -> Board:
        """Answer it."""
        layout = self._layout
        stages: list[BoardStage] = []
        seen: set[str] = set()
        keys = layout.stages or tuple((key,) for key in self._steps)
        for index, stage in enumerate(keys):
            cards: list[Card] = []
            for key in stage:
                edges = _edges(index, len(keys), len(stage))
                cards.append(self._card(key, edges, f"-{index}-{len(cards)}" if key in seen else ""))
                seen.add(key)
            stages.append(BoardStage(index + 1, tuple(cards), not self._frozen.isdisjoint(stage)))
        whole, new = plan_inputs(layout, self._wrong), new_inputs(self._new_command, self._wrong)
        return Board(tuple(stages), tuple(self._left_out(seen)), whole, new)

    def _spec(self, key: str) -> StepSpec:
        if key in self._layout.commands:
            return custom_step(key, self._layout.commands[key])
        return self._steps.get(key) or BACKUP_STEPS.get(key) or custom_step(key, "")

    def _card(self, key: str, edges: frozenset[str], again: str) -> Card:
        step, said = self._spec(key), self._layout.options.get(key, OptionChanges())
        own = key in self._layout.commands
        idle = not own and key not in self._steps
        line = self._config.command(CommandField(step.command)) if step.command and not idle else ""
        command = None
        if own and not again:
            command = command_input(key, self._layout.commands[key], self._wrong)
        return Card(
            id=f"card-{id_of(key)}{again}",
            key=key,
            name=step.name if not idle else key,
            phase=step.phase,
            runs=masked(step.command, line),
            freezes=step.freezes,
            command=command,
            fields=() if again else tuple(step_inputs(key, step.options, said, self._wrong)),
            marks=tuple(_marks(step.options, said)),
            problems=() if again else tuple(p for p in self._problems if p.step == key),
            again=bool(again),
            idle=idle,
            edges=edges,
        )

    def _left_out(self, placed: set[str]) -> Iterator[LeftOut]:
        for key in (*self._steps, *self._layout.commands):
            if key not in placed:
                words = " ".join(problem.words for problem in self._problems if problem.step == key)
                yield LeftOut(key, self._spec(key).name, words)


def _marks(usual: StepOptions, said: OptionChanges) -> Iterator[str]:
    """How the step is run otherwise than usual, in a few words each."""
    options = said.applied_to(usual)
    if options.attempts != usual.attempts:
        many = f"{options.attempts} attempt{'' if options.attempts == 1 else 's'}"
        yield many if options.attempts else "tried until it succeeds"
    if options.backoff_seconds != usual.backoff_seconds:
        yield f"{in_words(options.backoff_seconds)} between attempts"
    if options.timeout_seconds != usual.timeout_seconds:
        yield f"at most {in_words(options.timeout_seconds)}"
    if said.heartbeat_seconds is not None:
        yield f"a heartbeat every {in_words(options.heartbeat_seconds)}"
    if options.on_failure != usual.on_failure:
        yield f"on failure: {FAILURE_WORDS[options.on_failure]}"
    if options.may_skip != usual.may_skip:
        yield "may be skipped" if options.may_skip else "may not be skipped"


def _edges(index: int, stages: int, members: int) -> frozenset[str]:
    """The moves that would change nothing."""
    nowhere: set[str] = {Move.ALONE} if members == 1 else set()
    if index == 0:
        nowhere |= {Move.WITH_ABOVE, Move.EARLIER} if members == 1 else {Move.WITH_ABOVE}
    if index == stages - 1:
        nowhere |= {Move.WITH_BELOW, Move.LATER} if members == 1 else {Move.WITH_BELOW}
    return frozenset(nowhere)
