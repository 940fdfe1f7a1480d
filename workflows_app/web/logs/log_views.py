"""What pages show of a run's log, and what their addresses ask of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import QueryDict

from workflows_app.domain.results import Level
from workflows_app.services.logs import log_windows
from workflows_app.services.logs.log_search import LogQuery
from workflows_app.services.logs.log_windows import Key, LogSection
from workflows_app.services.logs.messages import LogLine
from workflows_app.services.people.permissions import Actor
from workflows_app.web.logs.log_lines import level_class
from workflows_app.web.runs.run_views import RunView

# What a first paint can carry and stay small; the rest is a click away.
FIRST_LINES = 200
FIRST_ROOM = 75_000

_ADDRESS = re.compile(r"step-(\d{1,9})-attempt-(\d{1,9})-L(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """A level in the filter: how many lines have it, whether it is chosen, and where its link leads."""

    name: str
    kind: str
    count: int
    chosen: bool
    query: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """The log of one attempt of a step: ``earlier`` lines come before those shown, of ``total`` stored.

    ``first`` is the number of the first line that fits the filter, ``before`` of the first one shown.
    """

    run: int
    step: int
    attempt: int
    name: str
    compensates: bool
    lines: tuple[LogLine, ...]
    earlier: int
    total: int
    first: int
    levels: str

    @property
    def place(self) -> str:
        """The part of the ids that names the section."""
        return f"{self.step}-{self.attempt}"

    @property
    def before(self) -> int:
        """The number of the first line shown: earlier ones come before it."""
        return self.lines[0].seq if self.lines else 1


@dataclass(frozen=True, slots=True)
class LogPane:
    """The log half of the run page. ``only`` names the chosen levels' styles, empty without a filter."""

    sections: tuple[SectionView, ...]
    levels: tuple[LevelChoice, ...]
    chosen: tuple[Level, ...]
    only: str


def log_pane(actor: Actor, run: RunView, query: QueryDict) -> LogPane:
    """Answer what the run page first shows of the log, as its address asks. Raises NotAllowed."""
    chosen = asked_levels(query)
    sections = log_windows.log_sections(actor, run.number, chosen, window=FIRST_LINES, room=FIRST_ROOM)
    counts = log_windows.census(actor, run.number).levels
    return LogPane(
        sections=tuple(section_view(run, section, chosen) for section in sections),
        levels=level_choices(counts, chosen),
        chosen=tuple(chosen),
        only=" ".join(level_class(level) for level in chosen),
    )


def section_view(run: RunView, section: LogSection, levels: tuple[Level, ...] = ()) -> SectionView:
    """Answer how the run page shows ``section``, whose lines are of ``levels``."""
    step = run.step_view(section.step)
    return SectionView(
        run=run.number,
        step=section.step,
        attempt=section.attempt,
        name=step_name(run, section.step),
        compensates=bool(step and step.compensates),
        lines=section.lines,
        earlier=section.earlier,
        total=section.total,
        first=section.first,
        levels=level_query(levels),
    )


def step_name(run: RunView, number: int) -> str:
    """Answer the name of a step by its number on the wire."""
    step = run.step_view(number)
    return step.name if step else f"Step {number}"


def level_choices(counts: Mapping[Level, int], chosen: tuple[Level, ...] = ()) -> tuple[LevelChoice, ...]:
    """Answer every level as a choice: its link adds it to the filter, or takes it out."""
    return tuple(
        LevelChoice(
            name=level.value,
            kind=level_class(level),
            count=counts.get(level, 0),
            chosen=level in chosen,
            query=level_query(tuple(other for other in Level if (other in chosen) != (other is level))),
        )
        for level in Level
    )


def level_query(levels: tuple[Level, ...]) -> str:
    """Answer the part of an address that asks for ``levels``; ``""`` for all of them."""
    return "&".join(f"level={level.value}" for level in levels)


def asked_levels(query: QueryDict) -> tuple[Level, ...]:
    """Answer the levels that an address asks for, each once; what is no level is left out."""
    asked = set(query.getlist("level"))
    return tuple(level for level in Level if level.value in asked)


def asked_search(query: QueryDict) -> LogQuery:
    """Answer what an address looks for."""
    return LogQuery(query.get("q", "").strip(), frozenset(asked_levels(query)))


def asked_number(query: QueryDict, name: str) -> int | None:
    """Answer a number of an address, None where it has none that can be a line's."""
    value = query.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None


def asked_line(query: QueryDict, name: str) -> Key | None:
    """Answer the line that ``name`` addresses (``step-4-attempt-2-L210``), None where it addresses none."""
    match = _ADDRESS.fullmatch(query.get(name, ""))
    if match is None:
        return None
    step, attempt, seq = map(int, match.groups())
    return step, attempt, seq
