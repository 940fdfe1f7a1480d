"""The picture of a run: its steps over time, in thousandths of the time that it has taken until now."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from workflows_app.domain import naming
from workflows_app.domain.durations import in_words
from workflows_app.domain.runs.progress import Progress, StepProgress
from workflows_app.domain.states import StepState
from workflows_app.services.logs.attempts import Spoken
from workflows_app.services.logs.messages import Place
from workflows_app.web.words.statuses import STEP_STATUS, Status

SCALE = 1000
# What is shorter would not be seen.
LEAST = 3


class Doing(StrEnum):
    """What a stretch of a step's time is.

    ``RETRYING`` is from the first attempt to the last one's beginning, ``TRIED`` within it an earlier
    attempt, as far as it said something.
    """

    WAITING = "wait"
    RETRYING = "retry"
    TRIED = "tried"
    WORKING = "work"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time from ``x`` to ``end``, in thousandths; ``open`` when it goes on."""

    doing: Doing
    x: int
    end: int
    open: bool


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One step in the picture; ``words`` are its figures. ``watchdog`` took it, not the run."""

    number: int
    name: str
    status: Status
    compensates: bool
    watchdog: bool
    stretches: tuple[Stretch, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The picture of a run from ``start`` on, ``seconds`` long; ``open`` when it grows.

    ``frozen`` is from when to when the application stood still, each time. ``doings`` are what
    the legend explains.
    """

    start: datetime
    seconds: float
    open: bool
    frozen: tuple[Stretch, ...]
    rows: tuple[TimelineRow, ...]
    doings: tuple[Doing, ...]


def run_timeline(
    progress: Progress, started: datetime, now: datetime, spoken: Mapping[Place, Spoken]
) -> Timeline:
    """Answer the picture of a run that began at ``started``, as it is at ``now``.

    ``spoken`` tells when each attempt said something: nobody else knows of the earlier ones.
    """
    steps = sorted((s for s in progress.steps if s.scheduled is not None), key=lambda s: s.step or 0)
    goes_on = not progress.state.closed or any(_open(step) for step in steps)
    ends = [m for s in steps for m in (s.scheduled, s.finished) if m]
    ends += [m for m in (progress.finished, progress.thawed_at, started) if m]
    end = now if goes_on else max(ends)
    scale = _Scale(started, max(end, started), goes_on)
    rows = tuple(_row(step, steps, scale, spoken) for step in steps)
    drawn = {stretch.doing for row in rows for stretch in row.stretches}
    return Timeline(
        start=started,
        seconds=scale.seconds,
        open=goes_on,
        frozen=tuple(_frozen(progress, scale)),
        rows=rows,
        doings=tuple(doing for doing in Doing if doing in drawn),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From moments to thousandths of the picture; what has no end yet goes on to the end of the picture."""

    start: datetime
    end: datetime
    goes_on: bool

    @property
    def seconds(self) -> float:
        return (self.end - self.start).total_seconds()

    def stretch(self, doing: Doing, since: datetime, until: datetime | None) -> Stretch:
        x, end = self._at(since), self._at(until or self.end)
        # At the right edge there is room to the left only.
        x = min(x, SCALE - LEAST)
        return Stretch(doing, x, max(end, x + LEAST), until is None and self.goes_on)

    def _at(self, moment: datetime) -> int:
        part = (moment - self.start).total_seconds() / self.seconds if self.seconds else 0.0
        return round(SCALE * min(1.0, max(0.0, part)))


def _open(step: StepProgress) -> bool:
    return step.state in (StepState.WAITING, StepState.RUNNING)


def _frozen(progress: Progress, scale: _Scale) -> Iterator[Stretch]:
    for since, until in progress.freezes(scale.end):
        still = progress.frozen and since == progress.frozen_since
        yield scale.stretch(Doing.WAITING, since, None if still else until)


def _row(
    step: StepProgress, steps: Iterable[StepProgress], scale: _Scale, spoken: Mapping[Place, Spoken]
) -> TimelineRow:
    parts = list(_parts(step, steps, scale, spoken))
    number = step.step or 0
    return TimelineRow(
        number=number,
        name=step.name,
        status=STEP_STATUS[step.state],
        compensates=step.compensates,
        watchdog=number >= naming.FIRST_WATCHDOG_STEP,
        stretches=tuple(scale.stretch(*part) for part in parts),
        words=_words(step, parts, scale),
    )


_Part = tuple[Doing, datetime, datetime | None]
"""What, from when, until when; None until now."""


def _parts(
    step: StepProgress, steps: Iterable[StepProgress], scale: _Scale, spoken: Mapping[Place, Spoken]
) -> Iterable[_Part]:
    if step.scheduled is None:
        return
    first = Doing.RETRYING if step.attempt > 1 else Doing.WAITING
    begun = None if step.retry_at is not None else step.started
    yield first, step.scheduled, begun or step.finished
    for attempt in range(1, step.attempt):
        if tried := spoken.get((step.step or 0, attempt)):
            yield Doing.TRIED, tried.first, tried.last
    if begun is not None:
        yield Doing.WORKING, begun, step.finished
    if step.finished is not None and (step.state is StepState.PAUSED or step.decision):
        until = None if step.state is StepState.PAUSED else _decided(step.finished, steps, scale)
        yield Doing.PERSON, step.finished, until


def _decided(failed: datetime, steps: Iterable[StepProgress], scale: _Scale) -> datetime:
    """When a person had decided: the run then went on, or ended. What thaws while it waits is no answer."""
    later = [s.scheduled for s in steps if s.scheduled and s.scheduled > failed and not s.compensates]
    return min(later, default=scale.end)


def _words(step: StepProgress, parts: Iterable[_Part], scale: _Scale) -> str:
    words = [STEP_STATUS[step.state].word]
    for doing, since, until in parts:
        took = in_words(((until or scale.end) - since).total_seconds())
        match doing:
            case Doing.WAITING:
                words.append(f"waited {took} for a worker")
            case Doing.RETRYING:
                words.append(f"{took} until attempt {step.attempt}")
            case Doing.TRIED:
                words.append(f"an attempt failed after {took}")
            case Doing.WORKING:
                words.append(f"worked {took}")
            case Doing.PERSON:
                words.append(f"waited {took} for a person")
    if step.scheduled:
        words.append(f"asked for {in_words((step.scheduled - scale.start).total_seconds())} after the start")
    return ", ".join(words)
